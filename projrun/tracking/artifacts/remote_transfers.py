"""Artifacts of an object store in pieces: a range of bytes for each read, a part of an upload for each write."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from projrun.errors import InvalidValueError
from projrun.tracking.artifacts.paths import checked_file_path, checked_new_path, checked_path
from projrun.tracking.artifacts.remote import RemoteArtifacts

_PART = 8 * 1024 * 1024
"""Bytes of a part of an upload: stores take 5 MiB at least."""
_MOST_PARTS = 9_000
"""Parts of an upload: stores take 10,000."""


class RemoteTransfers:
    """Transfers of the files of an object store."""

    def __init__(self, artifacts: RemoteArtifacts) -> None:
        self._artifacts = artifacts

    def open(self, path: str) -> RemoteFile:
        """A file to be read. Raises NotFoundError, and InvalidValueError for a folder."""
        checked = checked_file_path(path)
        with self._artifacts.failures("give", path):
            info = self._artifacts.bounded(lambda: self._info(checked))
        if info["type"] == "directory":
            raise InvalidValueError(f"Artifact path refers to a directory, not a file: '{path}'")
        return RemoteFile(self._artifacts, checked, info)

    def _info(self, path: str) -> dict[str, Any]:
        """Asked of the store itself: others may have written since the last listing."""
        self._artifacts.filesystem.invalidate_cache()
        found: dict[str, Any] = self._artifacts.filesystem.info(self._artifacts.place(path))
        return found

    def create(self, path: str, size: int | None = None) -> NewRemoteFile:
        """A file to be written; object stores show an object only when it is whole."""
        return NewRemoteFile(self._artifacts, checked_new_path(path), size or 0)

    def delete(self, path: str) -> None:
        """Delete a file, or all files below a folder."""
        place = self._artifacts.place(checked_path(path))
        filesystem = self._artifacts.filesystem

        def remove() -> None:
            filesystem.invalidate_cache()
            if filesystem.exists(place):
                filesystem.rm(place, recursive=True)

        with self._artifacts.failures("delete", path):
            self._artifacts.bounded(remove)


class RemoteFile:
    """An object as it was when it was opened: S3 refuses to read on from one that replaced it."""

    def __init__(self, artifacts: RemoteArtifacts, path: str, info: dict[str, Any]) -> None:
        self._artifacts, self._path = artifacts, path
        place = artifacts.place(path)
        with artifacts.failures("give", path):
            # Without the size: s3fs then asks for it with the ETag, by which it reads from then on.
            self._file = artifacts.bounded(lambda: artifacts.filesystem.open(place, "rb", cache_type="none"))
        info = getattr(self._file, "details", None) or info
        self.size = int(info["size"])
        written = info.get("LastModified") or info.get("mtime") or info.get("created")
        self.modified = written.timestamp() if isinstance(written, datetime) else None
        named = info.get("ETag") or info.get("etag") or f"{written}-{self.size}"
        self.version = hashlib.sha256(str(named).encode()).hexdigest()[:32]

    def read(self, start: int, length: int) -> bytes:
        """At most `length` bytes from `start` on."""

        def fetch() -> bytes:
            self._file.seek(start)
            return bytes(self._file.read(length))

        with self._artifacts.failures("give", self._path):
            return self._artifacts.bounded(fetch, length)

    def close(self) -> None:
        """Nothing is held open."""
        self._file.close()


class NewRemoteFile:
    """An upload in parts, which the store joins at the end."""

    def __init__(self, artifacts: RemoteArtifacts, path: str, size: int) -> None:
        self._artifacts, self._path = artifacts, path
        part = max(_PART, size // _MOST_PARTS)
        place = artifacts.place(path)
        with artifacts.failures("take", path):
            self._file = artifacts.bounded(lambda: artifacts.filesystem.open(place, "wb", block_size=part))

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        with self._artifacts.failures("take", self._path):
            self._artifacts.bounded(lambda: self._file.write(piece), _PART)

    def finish(self) -> None:
        """Join the parts."""
        with self._artifacts.failures("take", self._path):
            self._artifacts.bounded(self._file.close, _PART)

    def discard(self) -> None:
        """Abort the upload. fsspec would finish it when the file is collected, were it not closed."""
        try:
            if hasattr(self._file, "discard"):
                with self._artifacts.failures("take", self._path):
                    self._artifacts.bounded(self._file.discard)
        finally:
            self._file.closed = True
