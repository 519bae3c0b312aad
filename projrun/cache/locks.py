"""Locks between processes: flock(2) on a file, which ends with the process that holds it."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What Lustre without `-o flock`, NFS without its lock service, and some FUSE file systems answer."""

_PAUSE = 0.01


class NoLocksError(OSError):
    """A file system on which files cannot be locked: nothing is held there, and nothing can be."""


@contextmanager
def exclusive(
    file: Path, waiting: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Iterator[int]:
    """Lock a file, created if it is missing; gives its descriptor. `waiting` surrounds the wait for another process.

    Raises OSError.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not try_lock(descriptor, file):
            with waiting():
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def open_locked(file: Path, flags: int, patience: float = 0.0) -> IO[str] | None:
    """The file, locked until it is closed; None if another process holds it or has just removed it.

    `patience`: seconds to try again, as whoever asks `is_locked` holds it for a moment, too. Raises NoLocksError, and
    OSError if it cannot be created (`os.O_CREAT`).
    """
    until = time.monotonic() + patience
    try:
        descriptor = os.open(file, flags, 0o600)
    except OSError:
        if flags & os.O_CREAT:
            raise
        return None
    stream = open(descriptor, "r+", encoding="utf-8")  # noqa: PTH123, SIM115 - held open as long as the lock
    try:
        while not (locked := try_lock(descriptor, file)) and time.monotonic() < until:
            time.sleep(_PAUSE)
        locked = locked and os.fstat(descriptor).st_nlink > 0
    except BaseException:
        stream.close()
        raise
    if locked:
        return stream
    stream.close()
    return None


def is_locked(file: Path) -> bool:
    """Whether a process holds a file that `open_locked` or `exclusive` locked; changes nothing."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return file.exists()
    try:
        # Shared: of two that ask at once, neither takes the other for one that holds it.
        return not try_lock(descriptor, file, fcntl.LOCK_SH) and file.exists()
    except NoLocksError:
        return False
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, file: Path, operation: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file; False where another process holds it. Raises NoLocksError, which names the file system."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        said = f"files cannot be locked on its file system{_kind(file)}: {error.strerror}"
        raise NoLocksError(error.errno, said) from None
    return True


def _kind(file: Path) -> str:
    """The file system of a file, as Linux mounts it: ` (lustre)`; empty where that is not known."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    path, longest, kind = os.path.realpath(file), "", ""
    for line in mounts.splitlines():  # proc(5): ID PARENT DEVICE ROOT MOUNT-POINT … - TYPE SOURCE OPTIONS
        point = line.split()[4].rstrip("/")
        if f"{path}/".startswith(f"{point}/") and len(point) >= len(longest):
            longest, kind = point, f" ({line.partition(' - ')[2].split()[0]})"
    return kind
