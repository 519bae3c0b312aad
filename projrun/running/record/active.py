"""Runs that a process of this user supervises now, found by their leases: no tracking store is asked."""

from __future__ import annotations

import os
from pathlib import Path

from projrun.cache.lease import MESSAGES, OUTPUT, Mark, marks
from projrun.cache.lost_leases import is_held
from projrun.running.record.lookup import ambiguous, place_from_the_end
from projrun.tuples import NamedTuple


class ActiveRun(NamedTuple):
    """A run with a runner that lives, as its lease had it when it was found."""

    folder: Path
    mark: Mark

    @property
    def lives(self) -> bool:
        """Whether its runner still does."""
        return is_held(self.folder)

    @property
    def is_here(self) -> bool:
        """Whether its runner is on this machine: a home folder may be shared by several."""
        return self.mark.host == os.uname().nodename

    @property
    def output(self) -> Path:
        """The file with the command's output."""
        return self.folder / OUTPUT

    @property
    def messages(self) -> Path:
        """The file with what the runner of a detached run says."""
        return self.folder / MESSAGES

    @property
    def doing(self) -> str:
        """`preparing` its environment, `running` its command, or `recording` its end."""
        if self.mark.status:
            return "recording"
        return "running" if self.output.exists() else "preparing"


def active_runs(active: Path) -> list[ActiveRun]:
    """All of them, the newest first."""
    found = (ActiveRun(folder, mark) for folder, mark in marks(active) if mark.run_id)
    return sorted((run for run in found if run.lives), key=lambda run: run.mark.since, reverse=True)


def find_active(active: Path, text: str, store: str) -> ActiveRun | None:
    """The active run with that id, prefix of an id or name, or the `latest` of the store; None where there is none.

    Raises RequestError for a prefix of several.
    """
    runs = active_runs(active)
    if place_from_the_end(text) == 1:
        return next((run for run in runs if run.mark.store == store), None)
    if not text:
        return None
    for run in runs:
        if text in _ids(run.mark):
            return run
    named = [run for run in runs if run.mark.run_name == text and run.mark.store == store]
    if named:  # of several, the store says which ones there are
        return named[0] if len(named) == 1 else None
    matches = [run for run in runs if any(one.startswith(text) for one in _ids(run.mark))]
    if len(matches) > 1:
        raise ambiguous(text, [run.mark.run_id for run in matches])
    return next(iter(matches), None)


def _ids(mark: Mark) -> tuple[str, str]:
    """The run's id in its store, and the one that it had before."""
    return mark.run_id, mark.origin_id
