"""The result of fetching a repository or an archive: a folder of the cache, and its facts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class CachedTree(NamedTuple):
    """A complete source in the cache, which stays there until this process ends."""

    tree: Path
    """The folder with the source's files: shared with other runs, never to be written to."""
    commit: str | None = None
    branch: str | None = None
    """None for a tag or a commit."""
    version: str | None = None
    """The branch, tag or commit that was requested, by `--version` or in a web address."""
    subdirectory: str = ""
    """The folder that a web address (`/tree/REF/DIR`) names; empty for the top."""
    digest: str | None = None
    """An archive's SHA-256, in hexadecimal."""
    top: str = ""
    """The single top folder of an archive, which is stripped; empty where there is none."""
    notes: tuple[str, ...] = ()
    """Notes for people, one line each: that an offline run uses the cache."""
    warnings: tuple[str, ...] = ()
