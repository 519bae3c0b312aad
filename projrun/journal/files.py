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
        self._opened: dict[str, ArtifactRepository] = {}
        self._listed: dict[tuple[str, str], tuple[FileInfo, ...]] = {}

    def send(self, place: str) -> int:
        """Send a file, or find that it is there already; the bytes that were sent."""
        state = self._journal.file_state(place)
        root = next((root for root in self._roots if place.startswith(f"{root}/")), None)
        sent = 0
        if root is not None:
            file, path = self._journal.artifact_root / place, place.removeprefix(f"{root}/")
            repository = self._repository(root)
            if not self._is_there(root, repository, file, path):
                repository.upload(file, path)
                sent = state[0]
        self._journal.delivered_file(place, state)
        return sent

    def _repository(self, root: str) -> ArtifactRepository:
        if root not in self._opened:
            self._opened[root] = self._roots[root]()
        return self._opened[root]

    def _is_there(self, root: str, repository: ArtifactRepository, file: Path, path: str) -> bool:
        size = file.stat().st_size
        if repository.folder is not None:
            return _same(repository.folder / path, file, size)
        folder = path.rpartition("/")[0]
        if size <= SENT_AGAIN:
            return False
        if (root, folder) not in self._listed:
            try:
                self._listed[root, folder] = repository.list(folder)
            except ProjrunError:  # not every store lists what it holds
                self._listed[root, folder] = ()
        return any(entry.path == path and entry.size == size for entry in self._listed[root, folder])


def _same(there: Path, file: Path, size: int) -> bool:
    if not there.is_file() or there.stat().st_size != size:
        return False
    return all(one == other for one, other in zip(chunks_of(there), chunks_of(file), strict=True))
