"""Files that only their owner may read: what holds secrets between two processes, and small files of the cache."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from projrun.cache.ownership import make_private

_LONGEST = 64 * 1024 * 1024
"""Of a file, in bytes: a parameter cannot be longer than a command line anyway."""


class NotPrivateError(ValueError):
    """A file that is not used; the message says why, without its name."""


def write_private(file: Path, text: str) -> None:
    """A new file that only its owner may read; never one that is already there. Raises OSError."""
    _write_new(file, text.encode("ascii"))


def replace_private(file: Path, content: bytes) -> None:
    """Put a file in its place, whole or not at all, for its owner only; others may be reading it.

    Its folder is made if it is missing. Raises OSError.
    """
    make_private(file.parent)
    draft = file.with_name(f"{file.name}.{os.urandom(6).hex()}")
    try:
        _write_new(draft, content)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_private(file: Path) -> str:
    """The text of a file that only its owner may read. Raises NotPrivateError for any other, OSError."""
    # Without waiting for the writer of a named pipe, and without following a link.
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        _check(os.fstat(descriptor))
        content = stream.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise NotPrivateError("it is too long")
    return content.decode("ascii", errors="replace")


def _write_new(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotPrivateError("it is not a regular file")
    if status.st_uid != os.geteuid():
        raise NotPrivateError(f"it belongs to uid {status.st_uid}")
    if status.st_mode & 0o077:
        raise NotPrivateError(f"others may access it (mode {stat.S_IMODE(status.st_mode):04o})")
