"""The `#sub/dir` of a project URI: a folder inside the checkout, and never outside it."""

from __future__ import annotations

import re
from pathlib import Path

from projrun.errors import RequestError

_DRIVE = r"[A-Za-z]:"


def parse_subdirectory(text: str) -> str:
    """The subfolder with single slashes and no `.` parts; empty for the top. `/ex/tut/` is `ex/tut`.

    Raises RequestError for one that climbs (docs/mlproject.md, "Project URIs").
    """
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if "\\" in text or (text[1:2] == ":" and re.match(_DRIVE, text)) or ".." in parts:
        raise RequestError(
            f"the subfolder {'#' + text!r} leads out of the project",
            hint="give a path below the project's top, such as '#examples/train'",
        )
    return "/".join(parts)


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False for one that cannot be looked at (a name that is too long)."""
    try:
        return path.is_dir()
    except OSError:
        return False


def enter_subdirectory(root: Path, subdirectory: str, shown: str) -> Path:
    """The real path of a subfolder of `root`, which is a real path itself; `shown` is the URI for messages.

    Raises RequestError if it is missing, not a folder, or a symbolic link that leads out of `root`.
    """
    if not subdirectory:
        return root
    try:
        directory = (root / subdirectory).resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        raise RequestError(f"{shown} has no folder {subdirectory!r}") from None
    if not directory.is_relative_to(root):
        raise RequestError(f"the subfolder {subdirectory!r} of {shown} is a link that leads out of it")
    if not directory.is_dir():
        hint = f"give its folder, and -e {directory.name}"
        raise RequestError(f"{subdirectory!r} in {shown} is a file", hint=hint)
    return directory
