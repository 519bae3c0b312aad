"""Whether others may have written to a folder of the cache: its content will be run."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def foreign_reason(folder: Path) -> str | None:
    """Why a folder is not private to this user, or None; one `stat`, of a link's target.

    The administrator's folders are trusted, as ssh's StrictModes does; one that is not there yet is fine.
    Raises OSError for what cannot be read.
    """
    status = _status(folder)
    if status is None:
        return None
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{folder} can be written to by others (mode {stat.S_IMODE(status.st_mode):04o})"
    return _foreign_owner(folder, status)


def foreign_parent_reason(folder: Path) -> str | None:
    """The same for a folder that only holds such folders.

    Its group may write where the umask lets groups write, and everybody in a sticky folder such as /tmp.
    """
    status = _status(folder)
    if status is None:
        return None
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        return f"{folder} can be written to by everybody (mode {stat.S_IMODE(status.st_mode):04o})"
    return _foreign_owner(folder, status)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, and those above it that are missing (XDG base directory spec.).

    `mkdir(parents=True)` would leave the ones above to the umask. Raises OSError.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileNotFoundError:
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        if not folder.is_dir():
            raise


def remedy(folder: Path) -> str:
    """What to do about a folder that is not private."""
    return (
        f"set PROJRUN_CACHE_DIR to a folder that you own, or repair this one: chown it, `chmod go-w {folder}`"
    )


def _status(folder: Path) -> os.stat_result | None:
    try:
        return folder.stat()
    except FileNotFoundError:
        return None


def _foreign_owner(folder: Path, status: os.stat_result) -> str | None:
    user = os.geteuid()
    if status.st_uid in (user, 0):
        return None
    return f"{folder} belongs to uid {status.st_uid}, and you are uid {user}"
