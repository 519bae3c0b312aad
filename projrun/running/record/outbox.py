"""Runs of this machine whose records are not all delivered: what `projrun sync` goes through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from projrun.cache.lease import OUTPUT, Mark, marks
from projrun.cache.lost_leases import damaged, is_held, take_over
from projrun.directories import Directories
from projrun.errors import ProjrunError
from projrun.journal.journal import Journal, has_journal
from projrun.reporting import Reporter
from projrun.running.record.lookup import ambiguous
from projrun.running.record.lost import RUNS_ON, Settled, end_lost_run
from projrun.running.record.recorder import LOG
from projrun.tracking.open import close_store, open_store
from projrun.tracking.runs import RunStore
from projrun.tracking.uri import TrackingUri, parse_tracking_uri


class Waiting(NamedTuple):
    """A run with something to deliver, as its lease says."""

    folder: Path
    mark: Mark
    active: bool = False
    """Whether its runner lives: it delivers itself."""

    @property
    def run_id(self) -> str:
        """What people know it by."""
        return self.mark.run_id or self.mark.origin_id


class Delivery(NamedTuple):
    """What was delivered of a run, and why something still waits."""

    waiting: Waiting
    settled: Settled


def waiting_runs(active: Path) -> list[Waiting]:
    """All of them, active ones too, the oldest first."""
    found = [Waiting(folder, mark, is_held(folder)) for folder, mark in marks(active)]
    found += [Waiting(folder, Mark("", "", origin_id=folder.name)) for folder in damaged(active)]
    return sorted(found, key=lambda one: (one.mark.since, one.run_id))


def waiting_run(active: Path, text: str) -> Waiting | None:
    """The run whose id begins so, which is over, and of which something waits; RequestError for several."""
    found = [run for run in chosen_runs(waiting_runs(active), [text]) if not run.active]
    if len(found) > 1:
        raise ambiguous(text, [run.run_id for run in found])
    return found[0] if found else None


def waiting_log(run: Waiting) -> Path | None:
    """The file of this machine with the output of the run; None where that was delivered."""
    file = run.folder / OUTPUT
    if not file.is_file() and has_journal(run.folder):
        with Journal(run.folder) as journal:
            recorded = journal.store.get_run(run.run_id)
            file = journal.store.artifact_directory(recorded.artifact_uri) / LOG
    return file if file.is_file() else None


def chosen_runs(runs: Sequence[Waiting], texts: Sequence[str]) -> list[Waiting]:
    """Those whose ids, before and after they came to their server, begin with one of the texts."""
    begins = tuple(filter(None, texts))
    return [
        run for run in runs if run.mark.run_id.startswith(begins) or run.mark.origin_id.startswith(begins)
    ]


def deliver(
    runs: Sequence[Waiting],
    target: TrackingUri,
    directories: Directories,
    environ: Mapping[str, str],
    reporter: Reporter,
) -> Iterator[Delivery]:
    """Deliver what waits, store by store. `target` is the one of the settings, which may have credentials."""
    for name in dict.fromkeys(run.mark.store for run in runs):
        ours = [run for run in runs if run.mark.store == name]
        if not name:
            yield from (Delivery(run, Settled(reason=f"{run.folder}/run.json is damaged")) for run in ours)
            continue
        try:
            uri = target if name == target.shown else parse_tracking_uri(name)
            store = open_store(uri, environ, warn=reporter.warning)
        except ProjrunError as error:
            yield from (Delivery(run, Settled(run.mark.run_id, error.message)) for run in ours)
            continue
        try:
            yield from _deliver_to(store, ours, directories.logs, reporter)
        finally:
            close_store(store, reporter.warning)


def _deliver_to(
    store: RunStore, runs: Sequence[Waiting], logs: Path, reporter: Reporter
) -> Iterator[Delivery]:
    away = ""
    for run in runs:
        if away:
            yield Delivery(run, Settled(run.mark.run_id, away))
            continue
        settled = _deliver_one(store, run, logs, reporter)
        if settled is None:
            continue
        if settled.away:
            away = settled.reason
        yield Delivery(run, settled)


def _deliver_one(store: RunStore, run: Waiting, logs: Path, reporter: Reporter) -> Settled | None:
    """None where its command runs on, or another process has just delivered it."""
    lease = take_over(run.folder)
    if lease is None:
        busy = run.folder.exists()
        return Settled(run.mark.run_id, "another process delivers it at this moment") if busy else None
    with reporter.activity(f"delivering run {run.run_id} to {store.uri}") as meter:
        settled = end_lost_run(lease, logs, store, reporter.warning, progress=meter or _unseen)
    return None if settled.reason == RUNS_ON else settled


def _unseen(text: str, share: float) -> None:
    """Off a terminal."""
