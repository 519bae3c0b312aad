"""The files of a recorded run that say how it was made: its environment's lock, its uncommitted changes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from projrun.errors import TrackingError
from projrun.tracking.store import ArtifactRepository, TrackingStore

PATCH = "source/dirty.patch"
CONDA_LOCK = "conda.lock.txt"
LOCKS = tuple(f"environment/{name}" for name in ("requirements.lock.txt", CONDA_LOCK, "image.lock.txt"))
"""What a run records of its environment: one of them."""
_LARGEST = 64 * 1024 * 1024
"""Bytes: what no lock and no recorded diff has."""


class RecordedFiles(NamedTuple):
    """What was downloaded; None for what the run has not."""

    lock: Path | None = None
    patch: Path | None = None


def recorded_files(
    artifact_uri: str, store: TrackingStore, folder: Path, *, lock: bool = True, patch: bool = True
) -> RecordedFiles:
    """Download those that are wanted into a private folder. Raises TrackingError where they cannot be asked for."""
    repository = store.artifacts(artifact_uri)
    found = [_download(repository, path, folder) for path in LOCKS] if lock else []
    return RecordedFiles(
        next((file for file in found if file), None), _download(repository, PATCH, folder) if patch else None
    )


def _download(repository: ArtifactRepository, path: str, folder: Path) -> Path | None:
    for entry in repository.list(path.rpartition("/")[0]):
        if entry.path == path and not entry.is_dir:
            if (entry.size or 0) > _LARGEST:
                raise TrackingError(
                    f"the artifact {path} has {entry.size} bytes, which no record of projrun has"
                )
            return repository.download(path, folder)
    return None
