"""Where sources live in the cache."""

from __future__ import annotations

from pathlib import Path

TREE = "tree"
"""The folder of a checkout's cache entry that holds the files."""

TOP = "top"
"""The file beside it that holds the name of an archive's single top folder, which was stripped."""


def checkouts(cache: Path) -> Path:
    """The `ContentCache` of fetched sources, a folder for each commit or archive; runs never write to it."""
    return cache / "checkouts"


def repositories(cache: Path) -> Path:
    """The bare mirrors, a folder for each repository."""
    return cache / "repositories"


def copies(cache: Path) -> Path:
    """The runs' own copies of checkouts, a folder for each run."""
    return cache / "copies"


def archives(cache: Path) -> Path:
    """What is remembered about remote archives, a small file for each address."""
    return cache / "archives"


def downloads(cache: Path) -> Path:
    """Downloads for `path` parameters, a folder for each run."""
    return cache / "downloads"
