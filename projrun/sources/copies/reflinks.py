"""Copies that share their blocks with the original until one of the two is written to (reflinks).

Never hard links: what is appended to one name of a file is appended to all.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable

_FICLONE = 0x40049409
"""ioctl_ficlone(2), for btrfs, XFS, bcachefs, NFS 4.2; `fcntl` has the number from Python 3.12 on."""

_CLONE_NOFOLLOW = 1

_PLATFORM: str = sys.platform  # a plain str: the type checker would look at one system's code alone


def clone_contents(reading: int, writing: int) -> bool:
    """Let an empty file share the blocks of another (Linux); False where the file system cannot."""
    if not _PLATFORM.startswith("linux"):
        return False
    try:
        fcntl.ioctl(writing, getattr(fcntl, "FICLONE", _FICLONE), reading)
    except OSError:  # another file system, or one that knows no clones; what else is wrong, copying will say
        return False
    return True


def file_cloner() -> Callable[[str, str], bool] | None:
    """Makes a new file a clone of another, with its mode and times (macOS's clonefile(2)); None elsewhere."""
    if _PLATFORM != "darwin":
        return None
    import ctypes

    clonefile = getattr(ctypes.CDLL(None), "clonefile", None)
    if clonefile is None:
        return None
    clonefile.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint32)
    clonefile.restype = ctypes.c_int
    return lambda source, target: clonefile(os.fsencode(source), os.fsencode(target), _CLONE_NOFOLLOW) == 0
