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
    refused: tuple[str, ...] = ()
    """What the server has refused, and why."""
    reason: str = ""
    """Why they still wait; empty where none does."""


def deliver_spooled(target: TrackingUri, *, alone: bool) -> Iterator[Spooled]:
    """Make the calls of processes that have ended; `alone` for `target`, whose address has its password."""
    for spool in Spool.waiting():
        if not alone or spool.target == target.shown:
            yield _delivered(spool, target.text if spool.target == target.shown else spool.target)


def _delivered(spool: Spool, address: str) -> Spooled:
    calls, refused = Calls(uri=lambda: address), list[str]()
    try:
        made = spool.deliver(calls, lambda about, text: refused.append(f"{about}: {text}"))
    except AwayError as error:
        return Spooled(spool.path, spool.target, refused=tuple(refused), reason=str(error))
    finally:
        calls.close()
    return Spooled(spool.path, spool.target, made, tuple(refused))
