"""Nothing is used from a cache folder that others may write to: a source is code that will run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from projrun.cache.ownership import foreign_parent_reason, foreign_reason, make_private, remedy
from projrun.errors import SourceError
from projrun.sources.places import checkouts, copies, repositories


def check_owned(folder: Path) -> None:
    """Raises SourceError for a folder that belongs to another user, or that others may write to.

    A folder that does not exist yet is fine; a link is judged by what it leads to.
    """
    _check(folder, foreign_reason)


def prepare_cache(cache: Path) -> None:
    """Create the cache's folder if it is missing, and `check_places`. Raises SourceError."""
    try:
        make_private(cache)
    except OSError as error:
        raise _unusable(cache, error) from None
    check_places(cache)


def check_places(cache: Path) -> None:
    """`check_owned` for each folder of sources, before anything in them is read."""
    _check(cache, foreign_parent_reason)
    for place in (checkouts(cache), repositories(cache), copies(cache)):
        check_owned(place)


def _check(folder: Path, judge: Callable[[Path], str | None]) -> None:
    try:
        reason = judge(folder)
    except OSError as error:
        raise _unusable(folder, error) from None
    if reason is not None:
        raise SourceError(f"the cache is refused: {reason}", hint=remedy(folder))


def _unusable(folder: Path, error: OSError) -> SourceError:
    return SourceError(
        f"the cache folder {folder} cannot be used: {error.strerror}",
        hint="set PROJRUN_CACHE_DIR to a folder that you own, with free space",
    )
