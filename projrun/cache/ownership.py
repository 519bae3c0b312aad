"""Whether others may have written to a folder of the cache: its content will be run."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from projrun.directories import Directories
from projrun.directories import make_private as make_private
from projrun.errors import RequestError


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


def secured(places: Directories) -> tuple[str, ...]:
    """Take from others the right to write to this user's own places; says what was changed.

    Who can write there can plant a `config.toml`, or what the next command records. Raises RequestError for a place of
    another user, as ssh does; the administrator's are trusted, also in `sudo` and containers, where others' are not.
    A sticky folder such as /tmp is left as it is: what is in it is judged by its own owner.
    """
    changed = []
    for place in dict.fromkeys((*places.own_folders, places.active, places.database, places.config)):
        try:
            status = place.stat()
        except (OSError, ValueError):
            continue  # whoever opens it says what is wrong
        foreign = _foreign_owner(place, status)
        if foreign is not None:
            raise RequestError(
                f"refused: {foreign}",
                hint="chown it, or set PROJRUN_HOME to a folder that you own (`sudo -H` sets HOME)",
            )
        mode = stat.S_IMODE(status.st_mode)
        others_may = mode & 0o022 and not mode & stat.S_ISVTX
        if others_may and status.st_uid == os.geteuid() and _closed(place, mode & ~0o022):
            changed.append(f"{place} could be written to by others (mode {mode:04o}); now only you can")
    return tuple(changed)


def _closed(place: Path, mode: int) -> bool:
    """Set the mode; False where the file system is read-only or knows no modes, which says nothing of others."""
    try:
        place.chmod(mode)
        return stat.S_IMODE(place.stat().st_mode) == mode
    except OSError:
        return False


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
