"""What a run left in its copy of a checkout: new files and changed ones."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

Identity = tuple[int, int, int]
"""A file's type, size in bytes, and time of change in nanoseconds."""

_NO_LOSS = frozenset(
    (
        ".git",
        ".DS_Store",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        "__pycache__",
    )
)
"""Caches that programs write again if they are missing."""

_NAMED = 3


def left_behind(copy: Path, checkout: Path, patched: Mapping[str, Identity]) -> list[str]:
    """The files that are new or changed, by size and time, relative to the copy; a new folder as `folder/`.

    `patched` are those that were changed before the run began (`identities`). What git ignores counts: results
    often do. A folder that cannot be read counts, an empty one does not.
    """
    if not _is_folder(copy):  # the run removed it, or put a link there
        return []
    found = []
    folders = [""]
    for here in folders:  # grows while it is walked
        try:
            entries = _entries(copy / here)
        except OSError:
            found.append(f"{here or '.'}/")
            continue
        for entry in entries:
            path = f"{here}/{entry.name}" if here else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif not _same(entry, checkout / path) and not _is_as_patched(entry, patched.get(path)):
                found.append(path)
    return sorted({_top(path, checkout) for path in found})


def identities(copy: Path, paths: Iterable[str]) -> dict[str, Identity]:
    """What the files are now, before the run begins; those that are not there are left out."""
    found = {}
    for path in paths:
        with suppress(OSError):
            found[path] = _identity((copy / path).lstat())
    return found


def shown(names: list[str]) -> str:
    """`model.pkl, out/ and 4 more`."""
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if entry.name not in _NO_LOSS]


def _same(entry: os.DirEntry[str], original: Path) -> bool:
    try:
        ours, theirs = entry.stat(follow_symlinks=False), original.lstat()
        if stat.S_ISLNK(ours.st_mode) and stat.S_ISLNK(theirs.st_mode):
            return os.readlink(entry.path) == os.readlink(original)  # noqa: PTH115 - the texts as they are
    except OSError:
        return False
    return _identity(ours) == _identity(theirs)


def _is_as_patched(entry: os.DirEntry[str], identity: Identity | None) -> bool:
    try:
        return identity is not None and _identity(entry.stat(follow_symlinks=False)) == identity
    except OSError:
        return False


def _identity(status: os.stat_result) -> Identity:
    return stat.S_IFMT(status.st_mode), status.st_size, status.st_mtime_ns


def _top(path: str, checkout: Path) -> str:
    """A new file's uppermost new folder; the file where all its folders are the checkout's."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        if not _is_folder(checkout.joinpath(*parts[:length])):
            return "/".join(parts[:length]) + "/"
    return path


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
