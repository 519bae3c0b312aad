"""A folder of artifacts as a zip archive, made while it is sent: neither memory nor disk holds the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Sequence
from time import localtime
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import anyio

from projrun.errors import InvalidValueError, NotFoundError
from projrun.server.files.names import safe_path
from projrun.server.files.threads import in_thread
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.transfers import ArtifactTransfers, transfers_of

MOST_FILES = 10_000
_PIECE = 1024 * 1024


class _Sink:
    """What the archive has written and was not sent yet. It cannot be sought in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits below."""

    def take(self) -> bytes:
        """All of it."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def files_below(repository: ArtifactRepository, path: str) -> list[str]:
    """The files of a folder. Raises InvalidValueError where there are too many, NotFoundError where none is."""
    folders, found = [path], list[str]()
    while folders:
        for entry in repository.list(folders.pop()):
            (folders if entry.is_dir else found).append(safe_path(entry.path))
        if len(found) + len(folders) > MOST_FILES:
            raise InvalidValueError(f"the folder has more than {MOST_FILES} files: download parts of it")
    if not found:
        raise NotFoundError(f"no files in the folder {path!r}")
    return sorted(found)


async def zipped(repository: ArtifactRepository, files: Sequence[str], path: str) -> AsyncIterator[bytes]:
    """The archive of these files, named from the folder `path` on."""
    pieces = _pieces(transfers_of(repository), files, len(path) + 1 if path else 0)
    try:
        while piece := await in_thread(next, pieces, b""):
            yield piece
    finally:
        with anyio.CancelScope(shield=True):
            await in_thread(pieces.close)


def _pieces(transfers: ArtifactTransfers, files: Sequence[str], cut: int) -> Generator[bytes, None, None]:
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as archive:  # type: ignore[call-overload]  # any object with `write`
        for path in files:
            file = transfers.open(path)
            try:
                time = localtime(file.modified)[:6] if file.modified else (1980, 1, 1, 0, 0, 0)
                with archive.open(ZipInfo(path[cut:], time), "w", force_zip64=True) as entry:
                    start = 0
                    while piece := file.read(start, _PIECE):
                        entry.write(piece)
                        start += len(piece)
                        yield sink.take()
            finally:
                file.close()
    yield sink.take()
