"""The lock of the run that made a model: exactly the environment that it was trained in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from projrun.cache.private_files import replace_private
from projrun.errors import NotFoundError, RequestError, SourceError
from projrun.models.fetching import Stores, is_local
from projrun.models.mlmodel import MLmodel
from projrun.running.rerun.files import recorded_lock
from projrun.sources.archives.known import fingerprint
from projrun.sources.options import FetchOptions
from projrun.sources.trusted_folders import prepare_cache
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
            text = _downloaded(store, model.run_id, options)
            prepare_cache(options.cache)
            replace_private(file, text.encode())
        elif not file.is_file():
            raise SourceError(
                f"--locked: the lock of the run {model.run_id} is not cached, and --offline contacts no server",
                hint="run it once without --offline",
            )
        return RunLock(file, is_local(store))


def _downloaded(store: RunStore, run_id: str, options: FetchOptions) -> str:
    try:
        text = recorded_lock(run_id, store, options.policy)
    except (RequestError, SourceError, NotFoundError) as refusal:
        refusal.message, refusal.hint = f"--locked: {refusal.message}", _REMEDY
        raise
    if not text:
        raise RequestError(f"--locked: the run {run_id} recorded no lock of its environment", hint=_REMEDY)
    return text
