"""Removing a folder that others wrote to, whatever is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def remove_folder(folder: Path) -> bool:
    """Remove a folder with all it holds, read-only folders too, or a file; whether it is gone.

    Links are removed, never followed. Raises nothing: what cannot be removed stays.
    """
    # `os.path` is silent where `pathlib` raises. A run may have put a link in the place of its folder.
    if os.path.islink(folder) or os.path.isfile(folder):  # noqa: PTH113, PTH114
        with suppress(OSError):
            folder.unlink()
        return not os.path.lexists(folder)
    _remove(folder)
    if os.path.lexists(folder):
        import shutil  # not at once: it imports all that unpacks archives

        # It goes deeper than a path may be long.
        shutil.rmtree(folder, ignore_errors=True)
    return not os.path.lexists(folder)


def _remove(folder: Path) -> None:
    folders = [folder]
    for here in folders:  # grows while it is walked
        for entry in _entries(here):
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            else:
                with suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108 - thousands of times
    for here in reversed(folders):
        with suppress(OSError):
            here.rmdir()


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError):
        folder.chmod(0o700)
        with os.scandir(folder) as entries:
            yield from list(entries)
