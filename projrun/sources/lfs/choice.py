"""Whether a checkout gets the files that Git LFS keeps, or the pointers to them. On the way of every git project."""

from __future__ import annotations

from collections.abc import Mapping

_TRUE = ("1", "true", "yes", "on", "t")


def skips_lfs(environ: Mapping[str, str]) -> bool:
    """Whether the user wants the pointers, as git-lfs reads GIT_LFS_SKIP_SMUDGE."""
    return environ.get("GIT_LFS_SKIP_SMUDGE", "").lower() in _TRUE
