"""Copying a folder with its content, by reflinks where the file system has them. On the way of every run of a
cached commit: `shutil` alone would cost more than the copy of a small project.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from projrun.sources.copies.reflinks import clone_contents, file_cloner

_PIECE = 1 << 20
"""Bytes."""


def copy_tree(source: Path, destination: Path) -> None:
    """Copy a folder into a new one, with modes and times; links stay links, and nothing is followed.

    Raises OSError: for a device, a socket or a pipe, too, which no checkout holds. What was copied until then stays.
    """
    copier = _FileCopier()
    folders = [(source, destination)]
    for here, there in folders:  # grows while it is walked: a deep tree needs no deep recursion
        there.mkdir(mode=0o700)
        with os.scandir(here) as entries:
            for entry in entries:
                target = f"{there}{os.sep}{entry.name}"
                if entry.is_symlink():
                    _copy_link(Path(entry.path), Path(target))
                elif entry.is_dir(follow_symlinks=False):
                    folders.append((Path(entry.path), Path(target)))
                elif entry.is_file(follow_symlinks=False):
                    copier.copy(entry.path, target)
                else:
                    raise OSError(errno.EINVAL, "not a file, a folder or a link", entry.path)
    for here, there in reversed(folders):  # last: a folder may be read-only
        status = here.stat()
        os.utime(there, ns=(status.st_atime_ns, status.st_mtime_ns))
        there.chmod(_permissions(status))


class _FileCopier:
    """Copies files, and remembers which ways this file system does not know."""

    def __init__(self) -> None:
        self._cloner = file_cloner()
        self._clones = True
        self._sends = hasattr(os, "sendfile")

    def copy(self, source: str, target: str) -> None:
        if self._cloner is not None and self._cloner(source, target):
            return
        self._cloner = None
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            self._copy_opened(reading, target)
        finally:
            os.close(reading)

    def _copy_opened(self, reading: int, target: str) -> None:
        status = os.fstat(reading)
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            if status.st_size:
                self._copy_contents(reading, writing, status.st_size)
            os.fchmod(writing, _permissions(status))
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(writing)

    def _copy_contents(self, reading: int, writing: int, size: int) -> None:
        self._clones = self._clones and clone_contents(reading, writing)
        if self._clones:
            return
        self._sends = self._sends and _send(reading, writing, size)
        if not self._sends:
            _stream(reading, writing)


def _send(reading: int, writing: int, size: int) -> bool:
    """Let the kernel copy; False where it cannot, and then nothing is written."""
    done = 0
    while done < size:
        try:
            sent = os.sendfile(writing, reading, done, size - done)
        except OSError as error:
            if done or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            return False
        if sent == 0:
            return done > 0
        done += sent
    return True


def _stream(reading: int, writing: int) -> None:
    while piece := os.read(reading, _PIECE):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(writing, rest) :]


def _copy_link(source: Path, target: Path) -> None:
    target.symlink_to(os.readlink(source))  # noqa: PTH115 - the text as it is, which Path would tidy up
    if os.utime in os.supports_follow_symlinks:
        status = source.lstat()
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def _permissions(status: os.stat_result) -> int:
    return status.st_mode & 0o777  # without set-user-id bits
