"""What fetching an archive needs from its location, a web server or an object store."""

from __future__ import annotations

import hashlib
from typing import BinaryIO, Protocol

from projrun.errors import SourceError
from projrun.sources.archives.known import Known


class Sink:
    """Receives an archive: writes it, hashes it, and stops when it is too long."""

    def __init__(self, file: BinaryIO, most: int, shown: str) -> None:
        self._file = file
        self._most = most
        self._shown = shown
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Raises SourceError when it becomes too much, OSError where it cannot be kept."""
        self._size += len(chunk)
        self.check_size(self._size)
        self._digest.update(chunk)
        self._file.write(chunk)

    def check_size(self, size: int) -> None:
        """Raises SourceError for a size that is too much."""
        if size > self._most:
            raise SourceError(
                f"{self._shown} is refused: it is longer than {self._most:,} bytes",
                hint="if you trust it, fetch and unpack it yourself and give the folder",
            )

    @property
    def digest(self) -> str:
        """The SHA-256 of what came in."""
        return self._digest.hexdigest()


class RemoteArchive(Protocol):
    """An archive to fetch."""

    shown: str
    """Its URI for people."""
    identity: str
    """Its URI without a user and a password: what it is remembered by."""
    name: str
    """Its file name, which gives its kind."""

    def obtain(self, sink: Sink, known: Known | None) -> Known:
        """Fetch it, or return `known` if it has not changed. Raises SourceError."""
