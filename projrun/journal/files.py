"""The artifacts of a run-scoped store, sent to the target: those that are not there yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from projrun.errors import ProjrunError
from projrun.journal.journal import Journal
from projrun.tracking.artifacts.files import chunks_of
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import FileInfo

SENT_AGAIN = 1024 * 1024
"""Bytes up to which a file of the same size is sent again: asking for its content would take as long."""


class FileSender:
    """Sends the files of a journal; `roots` names the repository of the target for a folder of the journal's."""

    def __init__(self, journal: Journal, roots: Mapping[str, Callable[[], ArtifactRepository]]) -> None:
        self._journal = journal
        self._roots = roots
        self._opened: dict[str, Place] = {}

    def send(self, place: str) -> int:
        """Send a file, or find that it is there already; the bytes that were sent."""
        state = self._journal.file_state(place)
        root = next((root for root in self._roots if place.startswith(f"{root}/")), None)
        sent = 0
        if root is not None:
            file, path = self._journal.artifact_root / place, place.removeprefix(f"{root}/")
            repository = self._repository(root)
            if not repository.has(file, path):
                repository.files.upload(file, path)
                sent = state[0]
        self._journal.delivered_file(place, state)
        return sent

    def _repository(self, root: str) -> Place:
        if root not in self._opened:
            self._opened[root] = Place(self._roots[root]())
        return self._opened[root]


class Place:
    """Where the files of a run or a model belong in the target, and which of them are there."""

    def __init__(self, files: ArtifactRepository) -> None:
        self.files = files
        self._listed: dict[str, tuple[FileInfo, ...]] = {}

    def has(self, file: Path, path: str) -> bool:
        """Whether a file is there: by its content in a folder of this machine, else by its size if it is large."""
        size = file.stat().st_size
        if self.files.folder is not None:
            return _same(self.files.folder / path, file, size)
        return size > SENT_AGAIN and self.has_size(path, size)

    def has_size(self, path: str, size: int) -> bool:
        """Whether a file of that size is there."""
        folder = path.rpartition("/")[0]
        if folder not in self._listed:
            try:
                self._listed[folder] = self.files.list(folder)
            except ProjrunError:  # not every store lists what it holds
                self._listed[folder] = ()
        return any(entry.path == path and entry.size == size for entry in self._listed[folder])


def _same(there: Path, file: Path, size: int) -> bool:
    if not there.is_file() or there.stat().st_size != size:
        return False
    return all(one == other for one, other in zip(chunks_of(there), chunks_of(file), strict=True))
