"""Leases whose runner is gone, or handed them over: what only a command needs that finds one.

The leases themselves are in `projrun.cache.lease`, which every run imports.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from projrun.cache.lease import MARK, MOMENT, Lease, folders, marks, parse_mark, read_mark, remove
from projrun.cache.locks import is_locked, open_locked
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO


def take_over(folder: Path, patience: float = MOMENT) -> Lease | None:
    """The lease that a dead runner left in a folder; None where it lives, or has ended just now."""
    file = open_locked(folder / MARK, os.O_RDWR, patience)
    if file is None:
        return None
    mark = read_mark(folder / MARK)  # again: before it was locked, its runner may have changed it
    if mark is None:
        file.close()
        return None
    return Lease.held(folder, mark, file)


def adopt(folder: Path, descriptor: int) -> Lease | None:
    """The lease that the process which started this one held, from its `descriptor`; None where it is not that."""
    mark = read_mark(folder / MARK)
    try:
        if mark is None or not os.path.samestat(os.fstat(descriptor), (folder / MARK).stat()):
            return None
    except OSError:
        return None
    os.set_inheritable(descriptor, False)
    return Lease.held(folder, mark, open(descriptor, "r+", encoding="utf-8"))


def abandoned(active: Path, store: str) -> Iterator[Lease]:
    """The leases of runs in this store whose runner is gone; each must be released. One that is held costs no time."""
    for folder, mark in marks(active):
        lease = take_over(folder, 0.0) if mark.store == store else None
        if lease is not None:
            yield lease


def damaged(active: Path) -> list[Path]:
    """The folders of leases that cannot be read: the machine went down, or a disk was full, while one was written.

    One without anything in it is removed: its runner was killed before it did anything.
    """
    return [folder for folder in folders(active) if read_mark(folder / MARK) is None and _is_damaged(folder)]


def _is_damaged(folder: Path) -> bool:
    try:
        file = open_locked(folder / MARK, os.O_RDWR)
        if file is None:  # held, or without a mark: an empty folder was never a lease
            folder.rmdir()
            return False
        with file:
            text = file.read()
            if text or [entry.name for entry in folder.iterdir()] != [MARK]:
                return parse_mark(text) is None
            remove(folder)  # a runner that is about to lock it makes it again
    except (OSError, ValueError) as error:
        return isinstance(error, ValueError)  # not text
    return False


def discard(folder: Path) -> bool:
    """Remove a lease whose runner is gone, readable or not, with all beside it; False where a process holds it."""
    file = open_locked(folder / MARK, os.O_RDWR, MOMENT)
    if file is None:
        return False
    with file:
        remove(folder)
    return True


def is_held(folder: Path) -> bool:
    """Whether the runner of the lease in a folder lives."""
    return is_locked(folder / MARK)


def open_mark(folder: Path) -> IO[str]:
    """What the lease in a folder says, for `parse_mark`: it stays readable when the folder is gone. Raises OSError."""
    return (folder / MARK).open(encoding="utf-8")
