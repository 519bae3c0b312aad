"""What scripts could not record with `projrun.log` while their server was away."""

from __future__ import annotations

from collections.abc import Iterator

from projrun.log.calls import Calls
from projrun.log.errors import AwayError
from projrun.log.spool import Spool
from projrun.tracking.uri import TrackingUri
from projrun.tuples import NamedTuple


class Spooled(NamedTuple):
    """A file of calls, delivered or not."""

    path: str
    target: str
    """For people; empty for the store of this machine."""
    calls: int = 0
    """How many were made."""
    reason: str = ""
    """Why they still wait; empty where none does."""


def deliver_spooled(target: TrackingUri, *, alone: bool) -> Iterator[Spooled]:
    """Make the calls of processes that have ended; `alone` for `target`, whose address has its password."""
    for spool in Spool.waiting():
        if alone and spool.target != target.shown:
            continue
        address = target.text if spool.target == target.shown else spool.target
        calls = Calls(uri=lambda address=address: address)  # type: ignore[misc]
        try:
            yield Spooled(spool.path, spool.target, spool.deliver(calls))
        except AwayError as error:
            yield Spooled(spool.path, spool.target, reason=str(error))
        finally:
            calls.close()
