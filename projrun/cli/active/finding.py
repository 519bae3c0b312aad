"""What RUN names on a command line: an active run of this machine first, else a run of the tracking store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from projrun.cli.records.opening import store_of
from projrun.cli.rendering import own_places
from projrun.directories import Directories
from projrun.running.plan import tracking_target
from projrun.running.record import outbox
from projrun.running.record.active import ActiveRun, active_runs, find_active
from projrun.running.record.lookup import find_run, place_from_the_end
from projrun.running.record.outbox import Waiting
from projrun.settings import Settings
from projrun.tracking.entities import Run


def active_run(text: str, options: Mapping[str, str | None]) -> ActiveRun | None:
    """The active run; `options` choose the store by long name. RequestError for a prefix of several."""
    directories = own_places()
    if place_from_the_end(text) > 1:  # the store knows which one that is
        with store_of(dict(options)) as (store, _):
            text = find_run(store, text).run_id
    return find_active(directories.active, text, _store_name(options, directories))


def waiting_run(text: str) -> Waiting | None:
    """The run with that id or prefix whose record is not all delivered; RequestError for a prefix of several."""
    return outbox.waiting_run(Directories.locate(os.environ).active, text)


def active_runs_of_store(options: Mapping[str, str | None]) -> list[ActiveRun]:
    """The active runs of the store that the options choose, the newest first."""
    directories = own_places()
    name = _store_name(options, directories)
    return [run for run in active_runs(directories.active) if run.mark.store == name]


def kept_log(run_id: str) -> Path:
    """The file that keeps the output of a run whose store could not take it."""
    return own_places().logs / f"{run_id}.log"


def recorded_exit_code(run: Run) -> int:
    """The exit code of a run that has ended; 1 where it failed and does not say."""
    if run.status == "FINISHED":
        return 0
    code = run.tag("projrun.exit_code") or ""
    return int(code) if code.isdecimal() and 0 < int(code) < 256 else 1


def _store_name(options: Mapping[str, str | None], directories: Directories) -> str:
    settings = Settings(options, os.environ, directories.config)
    return tracking_target(settings, directories, Path.cwd()).uri.shown
