"""Finding the files of a project: the MLproject file itself, and files that must be inside the folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from projrun.errors import RequestError

FILE_NAME = "MLproject"
LOOK_ALIKES = ("MLproject.yaml", "MLproject.yml")


def find_mlproject(directory: Path, within: Path | None = None) -> Path | None:
    """The project's MLproject file, None where it has none.

    The exact spelling wins, else the one entry whose lower-cased name is `mlproject` (MLflow takes the first
    in listing order, folders too). Raises RequestError for two of them, for a folder of that name, and for
    a link that leaves `within`.
    """
    exact = directory / FILE_NAME
    if is_file(exact):
        return _allowed(exact, within)
    spellings = [name for name in _names(directory) if name.lower() == FILE_NAME.lower()]
    files = [name for name in spellings if is_file(directory / name)]
    if len(files) > 1:
        raise RequestError(
            f"both {files[0]} and {files[1]} are in {directory}", hint=f"keep one file, named {FILE_NAME}"
        )
    if files:
        return _allowed(directory / files[0], within)
    if spellings:
        what = "a folder" if (directory / spellings[0]).is_dir() else "not a regular file"
        raise RequestError(
            f"{directory / spellings[0]} is {what}",
            hint=f"the project's file must be a file named {FILE_NAME}",
        )
    return None


def look_alike(directory: Path) -> str | None:
    """The name of a file that was likely meant to be the MLproject file (`MLproject.yaml`), if there is one."""
    wanted = {name.lower() for name in LOOK_ALIKES}
    return next((name for name in _names(directory) if name.lower() in wanted), None)


def is_file(path: Path) -> bool:
    """Whether a path is a regular file, links followed; False for any path that cannot be read."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def exists(path: Path) -> bool:
    """Whether a path exists, links followed; False for any path that cannot be read."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def is_inside(directory: Path, path: Path) -> bool:
    """Whether a path's real place is in a folder or is that folder."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(directory))
    except ValueError:
        return False


def is_allowed(path: Path, within: Path | None) -> bool:
    """Whether a project may use a file: one that was fetched, any in its checkout `within`; the user's own, any."""
    return within is None or is_inside(within, path)


def _allowed(path: Path, within: Path | None) -> Path:
    if not is_allowed(path, within):
        raise RequestError(f"{path} is a link that leaves the project", hint="put the file itself there")
    return path


def _names(directory: Path) -> list[str]:
    try:
        with os.scandir(directory) as listing:
            return sorted(entry.name for entry in listing)
    except OSError as error:
        raise RequestError(f"cannot read the folder {directory}: {error.strerror}") from error
