"""Finding a recorded run by id, prefix, place or name, and opening the store of the settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from projrun.directories import Directories
from projrun.errors import NotFoundError, RequestError
from projrun.running.plan import tracking_target
from projrun.running.record.lost import end_lost_runs
from projrun.settings import Settings
from projrun.tracking.entities import Run
from projrun.tracking.open import close_store, open_store
from projrun.tracking.origin import ORIGIN
from projrun.tracking.runs import Deadline, RunStore
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.statuses import ViewType

LATEST = "latest"
"""The word for the run of a store that was started last; `-1` is the same, `-2` the one before."""
_FROM_THE_END = re.compile(r"-([1-9][0-9]{0,3})")


@contextmanager
def opened_store(
    settings: Settings,
    directories: Directories,
    environ: Mapping[str, str],
    caller_directory: Path,
    warn: Callable[[str], None],
) -> Iterator[RunStore]:
    """The tracking store of the settings; runs in it that were lost are ended first."""
    target = tracking_target(settings, directories, caller_directory)
    deadline = Deadline()
    store = open_store(target.uri, environ, warn=warn, deadline=deadline)
    try:
        if end_lost_runs(directories, target.uri.shown, store, warn, deadline):
            warn("records of runs wait for delivery to this tracking server: `projrun sync`")
        yield store
    finally:
        close_store(store, warn)


def find_run(store: RunStore, run_id: str, view_type: ViewType = "ACTIVE_ONLY") -> Run:
    """The run with that id, unique prefix or unique name, or the `latest` (`-1`), or the one before (`-2`).

    RequestError if there is none, or several. A whole id is found in any stage, all else among runs in the view, and
    of all runs those by their places that are active.
    """
    place = place_from_the_end(run_id)
    if place:
        return _started_before(store, place, view_type)
    try:
        return store.get_run(run_id)
    except NotFoundError:
        # A whole name is no beginning of another run's id.
        matches = _with_name(store, run_id, view_type) or _with_prefix(store, run_id, view_type)
    if len(matches) == 1:
        return store.get_run(matches[0].run_id)
    if matches:
        raise ambiguous(run_id, [run.run_id for run in matches])
    raise RequestError(
        f"the tracking store {store.uri} has no run {run_id!r}", hint="see `projrun runs list`"
    )


def ambiguous(text: str, run_ids: Sequence[str]) -> RequestError:
    """The error for a prefix of several ids."""
    return RequestError(
        f"{text!r} is ambiguous: it matches several runs", hint=f"one of: {', '.join(run_ids)}"
    )


def place_from_the_end(text: str) -> int:
    """1 for `latest` and `-1`, 2 for `-2`; 0 for what is no such word."""
    if text == LATEST:
        return 1
    found = _FROM_THE_END.fullmatch(text)
    return int(found[1]) if found else 0


def _started_before(store: RunStore, place: int, view_type: ViewType) -> Run:
    if view_type == "ALL":  # deleted ones are in no list whose places people count
        view_type = "ACTIVE_ONLY"
    runs = store.search_runs(
        _experiments(store, view_type),
        order_by=("attributes.start_time DESC",),
        max_results=place,
        view_type=view_type,
    ).runs
    if not runs:
        raise RequestError(f"the tracking store {store.uri} has no run yet")
    if len(runs) < place:
        count = f"{len(runs)} run{'s' * (len(runs) > 1)}"
        raise RequestError(f"the tracking store {store.uri} has only {count}", hint="see `projrun runs list`")
    return store.get_run(runs[-1].run_id)


def _experiments(store: RunStore, view_type: ViewType) -> list[str]:
    # A deleted run may be in an experiment that is active, or deleted too.
    listed = store.search_experiments(view_type="ACTIVE_ONLY" if view_type == "ACTIVE_ONLY" else "ALL")
    return [experiment.experiment_id for experiment in listed.experiments]


def _with_name(store: RunStore, name: str, view_type: ViewType) -> tuple[Run, ...]:
    quote = "'" if "'" not in name else '"'
    if not name or quote in name:
        return ()
    return store.search_runs(
        _experiments(store, view_type),
        filter_string=f"attributes.run_name = {quote}{name}{quote}",
        view_type=view_type,
        max_results=5,
    ).runs


def _with_prefix(store: RunStore, prefix: str, view_type: ViewType) -> tuple[Run, ...]:
    """Runs whose id begins so; where there are none, those whose id did before they came into this store."""
    if not (prefix.isascii() and prefix.isalnum()):
        return ()
    experiments = _experiments(store, view_type)
    for key in ("attributes.run_id", f"tags.`{ORIGIN}`"):
        filter_string = f"{key} LIKE '{prefix}%'"
        found = store.search_runs(
            experiments, filter_string=filter_string, view_type=view_type, max_results=5
        )
        if found.runs:
            return found.runs
    return ()
