"""A file that a command writes meanwhile, read from where the last reading ended; never all of it at once."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from projrun.tuples import NamedTuple

BLOCK = 1 << 20
"""Bytes that are read at once; a line that is longer is left out."""
_TAIL = 256
"""Bytes before the place that was reached, by which a file that was written again is known."""


class Signature(NamedTuple):
    """What changes with a file's content. Only compared: the clocks of file servers differ."""

    inode: int
    size: int
    modified: int
    changed: int


def signature(path: Path) -> Signature | None:
    """None where there is no regular file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Signature(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Growth:
    """The lines of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.restarts = 0
        """How often the file was written again from its beginning."""
        self._offset = 0
        self._inode = 0
        self._tail = b""
        self._skipping = False

    def blocks(self, *, whole: bool) -> Iterator[bytes]:
        """What was added since, in blocks that end with a line; `whole`: the last line has no line break any more.

        Raises OSError for what is no regular file or cannot be read.
        """
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", str(self.path))
            self._restart_if_rewritten(descriptor, status)
            while block := os.pread(descriptor, BLOCK, self._offset):
                taken = self._taken(block, whole=whole)
                if not taken:
                    return
                yield taken
        finally:
            os.close(descriptor)

    def _restart_if_rewritten(self, descriptor: int, status: os.stat_result) -> None:
        begin = self._offset - len(self._tail)
        same = status.st_ino == self._inode and os.pread(descriptor, len(self._tail), begin) == self._tail
        if self._offset and not same:
            self.restarts += 1
            self._offset, self._tail, self._skipping = 0, b"", False
        self._inode = status.st_ino

    def _taken(self, block: bytes, *, whole: bool) -> bytes:
        """The lines of the block, which count as read now; a line that is too long is an empty one."""
        end = block.rfind(b"\n") + 1
        is_long = not end and len(block) == BLOCK
        if not end and not is_long and not whole:
            return b""
        taken = block[: end or len(block)]
        if whole and len(block) < BLOCK:
            taken = block
        self._offset += len(taken)
        self._tail = (self._tail + taken[-_TAIL:])[-_TAIL:]
        if self._skipping:
            self._skipping = not end
            taken = b"\n" + taken[taken.find(b"\n") + 1 :] if end else b"\n"
        elif is_long:
            self._skipping = True
            taken = b"\n"
        return taken
