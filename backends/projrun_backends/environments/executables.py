"""Programs on PATH, past the shims of version managers: each of those is a shell script of 180 ms."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.directories import home_folder


def path_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """The absolute folders of PATH that hold programs themselves, in order."""
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        folder = Path(entry)
        if folder.is_absolute() and folder.name != "shims":
            yield folder


def program(folder: Path, name: str) -> Path | None:
    """The program `name` in `folder`, or None."""
    # Not Path.is_file(), which raises where a folder of PATH is another user's.
    file = os.path.join(folder, name)  # noqa: PTH118 - asked three hundred times for one interpreter
    return Path(file) if os.path.isfile(file) and os.access(file, os.X_OK) else None  # noqa: PTH113


def pyenv_versions(environ: Mapping[str, str]) -> Path:
    """Where pyenv keeps its interpreters; may not exist."""
    root = environ.get("PYENV_ROOT")
    return (Path(root) if root else home_folder(environ) / ".pyenv") / "versions"
