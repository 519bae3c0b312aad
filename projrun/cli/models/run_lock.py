"""The lock of the run that made a model: exactly the environment that it was trained in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from projrun.cache.private_files import replace_private
from projrun.errors import NotFoundError, RequestError, SourceError
from projrun.models.fetching import Stores
from projrun.models.mlmodel import MLmodel
from projrun.models.ownership import is_local, is_own
from projrun.reporting import visible
from projrun.running.record.lookup import find_run
from projrun.running.rerun.files import recorded_lock
from projrun.sources.archives.known import fingerprint
from projrun.sources.options import FetchOptions
from projrun.sources.trusted_folders import prepare_cache
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

_REMEDY = "remove --locked, or name a lock's file: --locked FILE"


class RunLock(NamedTuple):
    """A lock in the cache."""

    file: Path
    is_own: bool
    """Whether this user's own store had it: what it names needs no more trust."""


def run_lock(
    model: MLmodel, stores: Callable[[], AbstractContextManager[Stores]], options: FetchOptions
) -> RunLock:
    """Download the lock of the run that an MLmodel names; offline, take the one that was downloaded last.

    Raises RequestError where there is none that a model can be loaded in, SourceError for places that no rule allows,
    TrackingError where the store fails.
    """
    if not model.run_id:
        raise RequestError("--locked: the model names no run, so there is no recorded lock", hint=_REMEDY)
    with stores() as opened:
        store = opened.runs
        name = f"{fingerprint(f'{store.uri} {model.run_id}')}.lock.txt"
        file = options.cache / "models" / name
        if is_local(store) or not options.offline:
            run = _run(store, model.run_id)
            text = _downloaded(store, run, options)
            prepare_cache(options.cache)
            replace_private(file, text.encode())
            folder = store.artifacts(run.artifact_uri).folder
            return RunLock(file, folder is not None and is_own(folder, [store]))
        if not file.is_file():
            raise SourceError(
                f"--locked: the lock of the run {model.run_id} is not cached, and --offline contacts no server",
                hint="run it once without --offline",
            )
        return RunLock(file, is_own=False)


def _run(store: RunStore, run_id: str) -> Run:
    """By its whole id, also the one that it had elsewhere: another word, or a part of one, may mean another run."""
    if not re.fullmatch("[0-9a-f]{32}", run_id):
        raise RequestError(
            f"--locked: the model names {visible(run_id)!r}, which is no run's id", hint=_REMEDY
        )
    with _about_the_lock():
        return find_run(store, run_id)


def _downloaded(store: RunStore, run: Run, options: FetchOptions) -> str:
    with _about_the_lock():
        text = recorded_lock(run, store, options.policy)
    if not text:
        raise RequestError(
            f"--locked: the run {run.run_id} recorded no lock of its environment", hint=_REMEDY
        )
    return text


@contextmanager
def _about_the_lock() -> Iterator[None]:
    try:
        yield
    except (RequestError, SourceError, NotFoundError) as refusal:
        refusal.message, refusal.hint = f"--locked: {refusal.message}", _REMEDY
        raise
