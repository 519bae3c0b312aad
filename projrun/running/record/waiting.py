"""What waits in a run's folder for its store: merged into it."""

from __future__ import annotations

from collections.abc import Callable

from projrun.cache.lease import Lease
from projrun.directories import JOURNAL
from projrun.errors import ProjrunError
from projrun.journal.journal import Journal
from projrun.journal.merge import Merged, merge
from projrun.tracking.runs import RunStore
from projrun.tuples import NamedTuple


class Quiet(NamedTuple):
    """How a command that is about something else delivers."""

    until: float
    """The time of `time.monotonic` after which nothing more is sent."""
    largest: int = 8 * 1024 * 1024
    """Bytes of the largest file that is sent: an upload is not broken off."""


def deliver_waiting(
    lease: Lease,
    store: RunStore,
    warn: Callable[[str], None],
    quiet: Quiet | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Merged | None:
    """Merge what waits in the run's folder, where something does."""
    if not (lease.folder / JOURNAL).exists():
        return None
    until, largest = (quiet.until, quiet.largest) if quiet else (None, None)
    try:
        with Journal(lease.folder) as journal:
            merged = merge(journal, store, until=until, largest=largest, progress=progress)
    except ProjrunError as error:  # its own file cannot be read: it stays for people to look at
        return Merged({}, reason=error.message)
    for text in merged.refused:
        warn(f"not recorded, and not tried again: {text}")
    return merged
