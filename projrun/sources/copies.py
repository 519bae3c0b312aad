"""A run's own copy of a checkout: what the run does to it, no other run sees."""

from __future__ import annotations

import os
from pathlib import Path

from projrun.errors import SourceError


def make_copy(tree: Path, copies_directory: Path) -> Path:
    """A copy of a cached checkout in a new folder that only its owner may enter. Raises SourceError."""
    from shutil import copytree

    folder = copies_directory / os.urandom(8).hex()
    try:
        copies_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        copytree(tree, folder, symlinks=True)
    except OSError as error:
        raise SourceError(
            f"cannot copy the checkout into {copies_directory}: {error.strerror}",
            hint="set PROJRUN_CACHE_DIR to a folder that can be written",
        ) from error
    return folder
