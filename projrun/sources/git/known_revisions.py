"""The commits that versions were resolved to: for `--offline`, and for short hashes, which never change.

A small file for each version, in the folder that the cache has for the repository.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from projrun.cache.private_files import replace_private
from projrun.sources.git.remote import Remote
from projrun.sources.git.wanted import Target, Wanted
from projrun.sources.version import is_full_commit


class Resolution(NamedTuple):
    """A target, and when it was last confirmed."""

    target: Target
    when: float
    """Seconds since the epoch."""


def recall(remote: Remote, wanted: Wanted) -> Resolution | None:
    """What a version last resolved to; None if unknown, or if the file is damaged."""
    file = _file(remote, wanted)
    try:
        lines = _read(file)
        when = file.stat().st_mtime
    except OSError:
        return None
    if len(lines) != 4 or lines[0] != _name(wanted) or not is_full_commit(lines[1]):
        return None
    return Resolution(Target(lines[1], wanted, lines[2] or None, lines[3] or None), when)


def remember(remote: Remote, target: Target) -> None:
    """Record what a version resolved to, for the default branch also by its name.

    Never fails: a cache that cannot be written is a slower one.
    """
    _note(remote, target)
    if target.wanted.version is None and target.branch is not None:
        named = Wanted(target.branch)
        _note(remote, Target(target.commit, named, target.branch, f"refs/heads/{target.branch}"))


def _note(remote: Remote, target: Target) -> None:
    file = _file(remote, target.wanted)
    lines = [_name(target.wanted), target.commit, target.branch or "", target.reference or ""]
    try:
        if file.exists() and _read(file) == lines:
            os.utime(file)
        else:
            replace_private(file, "\n".join(lines).encode("utf-8", "surrogateescape"))
    except OSError:
        pass


def _name(wanted: Wanted) -> str:
    return wanted.version or "HEAD"


def _file(remote: Remote, wanted: Wanted) -> Path:
    name = sha256(_name(wanted).encode("utf-8", "surrogateescape")).hexdigest()
    return remote.folder / "versions" / name


def _read(file: Path) -> list[str]:
    return file.read_bytes().decode("utf-8", "surrogateescape").split("\n")
