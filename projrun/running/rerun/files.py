"""The files of a recorded run that say how it was made: its environment's lock, its uncommitted changes."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from projrun.environments.lock_text import lock_kind
from projrun.errors import RequestError, SourceError, TrackingError
from projrun.sources.policy import TrustPolicy, place_of
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

PATCH = "source/dirty.patch"
CONDA_LOCK = "conda.lock.txt"
LOCKS = tuple(f"environment/{name}" for name in ("requirements.lock.txt", CONDA_LOCK, "image.lock.txt"))
"""What a run records of its environment: one of them."""
_LARGEST = 64 * 1024 * 1024
"""Bytes: what no lock and no recorded diff has."""


class RecordedFiles(NamedTuple):
    """What was downloaded; None for a file that the run does not have."""

    lock: Path | None = None
    patch: Path | None = None


def recorded_files(
    artifact_uri: str, store: RunStore, folder: Path, *, lock: bool = True, patch: bool = True
) -> RecordedFiles:
    """Download the wanted files into a private folder. Raises TrackingError if the store fails."""
    if not (lock or patch):
        return RecordedFiles()  # artifacts that are out of reach are not asked for
    repository = store.artifacts(artifact_uri)
    return RecordedFiles(
        _download(repository, LOCKS, folder) if lock else None,
        _download(repository, (PATCH,), folder) if patch else None,
    )


def _download(repository: ArtifactRepository, paths: tuple[str, ...], folder: Path) -> Path | None:
    """The first of some files of one folder that the run has."""
    entries = {
        entry.path: entry for entry in repository.list(paths[0].rpartition("/")[0]) if not entry.is_dir
    }
    found = next((entries[path] for path in paths if path in entries), None)
    if found is None:
        return None
    if (found.size or 0) > _LARGEST:
        raise TrackingError(f"the artifact {found.path} has {found.size} bytes, more than projrun records")
    return repository.download(found.path, folder)


def recorded_lock(run: Run, store: RunStore, policy: TrustPolicy) -> str:
    """The text of the lock of a run's environment, for what is not a run of it; empty where it recorded none.

    Raises RequestError for a run in a container, SourceError for places that no rule allows.
    """
    with TemporaryDirectory(prefix="projrun-lock-") as folder:
        lock = recorded_files(run.artifact_uri, store, Path(folder), patch=False).lock
        if lock is None:
            return ""
        check_lock(lock, policy)
        text = lock.read_text(encoding="utf-8", errors="replace")
    if lock_kind(text) == "image":
        raise RequestError(f"the run {run.run_id} was in a container, and its lock is of an image")
    return text


def check_lock(lock: Path, policy: TrustPolicy) -> None:
    """A lock names places that packages are taken from, which is code: SourceError for one that no host rule allows."""
    if not policy.hosts:
        return
    hosts_only = TrustPolicy(hosts=policy.hosts)
    text = lock.read_text(encoding="utf-8", errors="replace")
    for protocol, rest in re.findall(r"(?:[A-Za-z]+\+)?([A-Za-z]+)(://[^\s'\"]+)", text):
        if protocol.lower() == "file":
            continue
        try:
            hosts_only.check_place(*place_of(f"{protocol}{rest}"))
        except SourceError as refusal:
            raise SourceError(
                f"the recorded environment lock: {refusal.message}",
                hint=f"{refusal.hint}; or build from the project's file with --unlocked",
            ) from None
