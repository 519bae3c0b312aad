"""What a run left in its copy of a checkout: files that the checkout does not have, and changed ones."""

from __future__ import annotations

import os
import stat
from pathlib import Path

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
"""What programs write for themselves, and write again where it is gone."""

_NAMED = 3


def left_behind(copy: Path, checkout: Path) -> list[str]:
    """The files that are new or changed, by size and time, relative to the copy; a new folder as `folder/`.

    What git ignores counts: results often do. A folder that cannot be read counts, an empty one does not.
    """
    found = []
    folders = [""]
    for here in folders:  # grows while it is walked
        try:
            entries = _entries(copy / here)
        except OSError:
            found.append(f"{here}/")
            continue
        for entry in entries:
            path = f"{here}/{entry.name}" if here else entry.name
            if not entry.is_dir(follow_symlinks=False):
                if not _same(entry, checkout / path):
                    found.append(path)
            elif _is_folder(checkout / path):
                folders.append(path)
            elif _holds_files(copy / path):
                found.append(f"{path}/")
    return sorted(found)


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


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return stat.S_IFMT(status.st_mode), status.st_size, status.st_mtime_ns


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _holds_files(folder: Path) -> bool:
    folders = [folder]
    for here in folders:  # grows while it is walked
        try:
            entries = _entries(here)
        except OSError:
            return True
        inner = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        if len(inner) < len(entries):
            return True
        folders += inner
    return False
