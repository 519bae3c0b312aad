"""Folders that belong to one run: `PLACE/NAME`, with `NAME.lock` locked beside it while the run's process lives.

Being able to lock the file means that no run uses the folder.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from projrun.cache.locks import is_locked, open_locked
from projrun.cache.ownership import make_private
from projrun.cache.removal import remove_folder

_TRIES = 5

_held: dict[Path, IO[str]] = {}
"""The lock files of this process's folders."""


def new_name(place: Path) -> Path:
    """An unpredictable name for a folder in `place`, held by this process. Raises OSError."""
    make_private(place)
    for _ in range(_TRIES):
        folder = place / os.urandom(8).hex()
        file = open_locked(lock_file(folder), os.O_RDWR | os.O_CREAT | os.O_EXCL)
        if file is not None:  # else `cache prune` removed it at that very moment
            _held[folder] = file
            return folder
    raise OSError(errno.ENOLCK, "files cannot be locked there")


def hold(folder: Path) -> bool:
    """Hold a folder, which may not exist; False if another process does, or nothing can be written there."""
    try:
        make_private(folder.parent)
        file = open_locked(lock_file(folder), os.O_RDWR | os.O_CREAT)
    except OSError:
        return False
    if file is None:
        return False
    _held[folder] = file
    return True


def is_held(folder: Path) -> bool:
    """Whether a process holds a folder; changes nothing."""
    return folder in _held or is_locked(lock_file(folder))


def held_file(folder: Path) -> IO[str] | None:
    """The open lock file of a folder that this process holds, to write in it what the folder is."""
    return _held.get(folder)


def release(folder: Path) -> None:
    """Release it."""
    file = _held.pop(folder, None)
    if file is not None:
        file.close()


def remove_held(folder: Path) -> bool:
    """Remove a folder that this process holds; whether it is gone. Its lock file goes last."""
    gone = remove_folder(folder)
    if gone:
        with suppress(OSError):
            lock_file(folder).unlink()
    release(folder)
    return gone


def sweep(place: Path) -> None:
    """Remove the lock files whose folders are gone: of processes that were killed at that moment."""
    for file in place.glob("*.lock"):
        folder = file.with_suffix("")
        if not os.path.lexists(folder) and hold(folder):
            remove_held(folder)


def lock_file(folder: Path) -> Path:
    """The file beside a folder that its process holds."""
    return folder.with_name(f"{folder.name}.lock")
