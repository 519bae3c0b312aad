"""Paths that a repository names, inside its checkout and nowhere else."""

from __future__ import annotations

import unicodedata
from pathlib import Path


def inside(top: Path, path: str) -> Path | None:
    """A path below a folder; None where it climbs, is or passes through a symbolic link, or enters a git folder."""
    place = top
    for part in path.split("/"):
        if part in ("", ".", "..") or "\\" in part or _is_git_folder(part):
            return None
        place /= part
        if place.is_symlink():
            return None
    return place


def _is_git_folder(name: str) -> bool:
    """Whether some file system takes a name for `.git`: case, ends and invisible characters do not count on all."""
    visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return visible.partition(":")[0].rstrip(" .").lower() in (".git", "git~1")
