"""Where sources live in the cache."""

from __future__ import annotations

from pathlib import Path

TREE = "tree"
"""The folder of a checkout's cache entry that holds the files."""


def checkouts(cache: Path) -> Path:
    """The `ContentCache` of what was fetched, a folder each commit or archive; never written to by a run."""
    return cache / "checkouts"


def repositories(cache: Path) -> Path:
    """The bare mirrors, a folder each repository."""
    return cache / "repositories"


def copies(cache: Path) -> Path:
    """The runs' own copies of checkouts, a folder each run."""
    return cache / "copies"


def archives(cache: Path) -> Path:
    """What is remembered of remote archives: a small file each address."""
    return cache / "archives"


def downloads(cache: Path) -> Path:
    """What was downloaded for `path` parameters, a folder each run."""
    return cache / "downloads"
