"""Runs that look alive and are not: RUNNING in their store, while their runner gives no sign of life any more.

A runner sets the tag `projrun.heartbeat` every minute. Runs without it are other clients', or shorter than a minute:
they are ended only where they are named.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from projrun.cache.lease import lease_of
from projrun.cache.lost_leases import is_held
from projrun.errors import RequestError
from projrun.running.record.recorder import RunEnd
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore
from projrun.tuples import NamedTuple

HEARTBEAT = "projrun.heartbeat"
"""The tag with the time of the last sign of life, in milliseconds since the epoch."""

_EXIT_CODE = 137
_PAGE = 1000


class Silent(NamedTuple):
    """A run without a sign of life, and the end that it gets."""

    run: Run
    end: RunEnd


def silent_runs(store: RunStore, active: Path, now: int, limit: int) -> Iterator[Silent]:
    """The RUNNING runs whose last heartbeat is more than `limit` milliseconds ago.

    A runner of this machine that lives is none of them, also where it could not reach the store.
    """
    for run in _running(store):
        beat = last_heartbeat(run)
        if beat is not None and now - beat > limit and not _lives(active, run):
            yield Silent(run, _end(beat, now))


def named_run(run: Run, active: Path, now: int, limit: int) -> Silent | None:
    """A run that is to be ended whether it has a heartbeat or not; None where it has ended.

    Raises RequestError where its runner lives.
    """
    if run.status not in ("RUNNING", "SCHEDULED"):
        return None
    beat = last_heartbeat(run)
    if _lives(active, run) or (beat is not None and now - beat <= limit):
        raise RequestError(
            f"run {run.run_name} ({run.run_id}) is alive",
            hint=f"end it with `projrun cancel {run.run_id[:8]}`",
        )
    return Silent(run, _end(beat, now))


def last_heartbeat(run: Run) -> int | None:
    """Its time in milliseconds since the epoch; None where there is none, or something else in its tag."""
    text = run.tag(HEARTBEAT) or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _running(store: RunStore) -> Iterator[Run]:
    experiments = [found.experiment_id for found in store.search_experiments().experiments]
    token = ""
    while experiments:
        page = store.search_runs(
            experiments, filter_string="attributes.status = 'RUNNING'", max_results=_PAGE, page_token=token
        )
        yield from page.runs
        token = page.next_page_token
        if not token:
            return


def _lives(active: Path, run: Run) -> bool:
    folder = lease_of(active, run.run_id)
    return folder is not None and is_held(folder)


def _end(beat: int | None, now: int) -> RunEnd:
    if beat is None:
        return RunEnd("KILLED", _EXIT_CODE, "ended by `projrun runs reap`: no heartbeat", now)
    since = datetime.fromtimestamp(beat / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S%z")
    return RunEnd("KILLED", _EXIT_CODE, f"no heartbeat since {since}", beat)
