"""Artifact paths: relative, with `/`, never climbing out. The one place for the rule."""

from __future__ import annotations

import os
from pathlib import Path

from projrun.errors import InvalidValueError

PARTIAL_PREFIX = ".projrun-partial-"
"""Names of files that are being written: safe to remove when nothing is running."""


def partial_name() -> str:
    """A new name for a file that is being written."""
    return f"{PARTIAL_PREFIX}{os.urandom(8).hex()}"


def is_partial(name: str) -> bool:
    """Whether a file is being written, and not to be listed; one that a script wrote under a similar name is."""
    rest = name.removeprefix(PARTIAL_PREFIX)
    return rest != name and len(rest) == 16 and set(rest) <= set("0123456789abcdef")


def checked_path(path: str) -> str:
    """An artifact path without empty and `.` parts; empty for the root.

    Raises InvalidValueError for an absolute path, `..`, a backslash, a drive or a control character: a
    server's answer is as hostile as what a user types.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    refused = path.startswith("/") or "\\" in path
    refused |= not path.isprintable() and any(ord(character) < 32 for character in path)
    if refused or ".." in parts or (parts and parts[0][1:2] == ":"):
        raise InvalidValueError(f"Invalid path {path!r}", hint="give a relative path without `..`")
    return "/".join(parts)


def checked_file_path(path: str) -> str:
    """Like `checked_path`, for a file: the root itself is refused too."""
    checked = checked_path(path)
    if not checked:
        raise InvalidValueError(f"{path!r} does not name an artifact file", hint="give a relative path")
    return checked


def checked_new_path(path: str) -> str:
    """Like `checked_file_path`, for a file to be written: the names of files that are being written are refused."""
    checked = checked_file_path(path)
    if any(part.startswith(PARTIAL_PREFIX) for part in checked.split("/")):
        raise InvalidValueError(
            f"the artifact name {path!r} is reserved for files that are being written",
            hint="choose another name",
        )
    return checked


def contained(root: Path, path: str) -> Path:
    """An artifact path under the folder `root`; InvalidValueError if a symlink leads out of it."""
    place = root / checked_path(path)
    real_root = os.path.realpath(root)
    real = os.path.realpath(place)
    if real != real_root and not real.startswith(real_root.rstrip(os.sep) + os.sep):
        raise InvalidValueError(f"the artifact path {path!r} leads out of {str(root)!r}")
    return place
