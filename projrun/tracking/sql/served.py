"""The mark of a store that was served to others: what is in it may be theirs."""

from __future__ import annotations

from pathlib import Path

from projrun.errors import TrackingError


def mark_served(database: Path) -> None:
    """Raises TrackingError where the folder of the database cannot be written to."""
    try:
        _mark(database).touch(mode=0o600)
    except OSError as error:
        raise TrackingError(f"{_mark(database)} cannot be written: {error.strerror}") from None


def was_served(database: Path) -> bool:
    """Whether others could write to the store in that file through a server."""
    return _mark(database).exists()


def _mark(database: Path) -> Path:
    database = database.resolve()
    return database.with_name(f"{database.name}-served")
