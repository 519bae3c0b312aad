"""Artifacts of a local folder in pieces. Nothing outside of the folder is opened, written or deleted."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking.artifacts.paths import (
    checked_file_path,
    checked_new_path,
    checked_path,
    contained,
    partial_name,
)


class LocalTransfers:
    """Transfers of the files under `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, path: str) -> LocalFile:
        """A file to be read. Raises NotFoundError, and InvalidValueError for a folder."""
        place = contained(self._root, checked_file_path(path))
        try:
            # Opening a pipe without a writer does not block then.
            descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(f"No such artifact: '{path}'") from None
        file = LocalFile(descriptor)
        if not stat.S_ISREG(file.mode):
            file.close()
            if stat.S_ISDIR(file.mode):
                raise InvalidValueError(f"Artifact path refers to a directory, not a file: '{path}'")
            raise NotFoundError(f"No such artifact: '{path}'")
        return file

    def create(self, path: str, size: int | None = None) -> NewLocalFile:
        """A file to be written. Raises InvalidValueError for a path that leads out or is a folder."""
        place = contained(self._root, checked_new_path(path))
        if place.is_dir():
            raise InvalidValueError(f"the artifact {path!r} is a folder already")
        return NewLocalFile(place)

    def delete(self, path: str) -> None:
        """Delete a file, a folder or a link; what a link leads to stays."""
        parent, _, name = checked_path(path).rpartition("/")
        place = contained(self._root, parent) / name if name else self._root
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                place.unlink()


class LocalFile:
    """An open file; one that replaces it meanwhile is another file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self.mode = status.st_mode
        self.size = status.st_size
        self.modified: float | None = status.st_mtime
        self.version = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"

    def read(self, start: int, length: int) -> bytes:
        """At most `length` bytes from `start` on."""
        return os.pread(self._descriptor, length, start)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class NewLocalFile:
    """A file that is written beside its place, then renamed."""

    def __init__(self, place: Path) -> None:
        self._place = place
        place.parent.mkdir(parents=True, exist_ok=True)
        self._partial = place.parent / partial_name()
        self._file = self._partial.open("xb", buffering=0)

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]

    def finish(self) -> None:
        """Show the file at its place. OSError leaves nothing."""
        try:
            self._file.close()
            self._partial.replace(self._place)
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        """Forget what was written."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._partial.unlink()
