"""Network work that ends in time, whatever the other side does.

A timeout of a socket is for one read: a byte every half second holds it for ever, and a name server that is silent
knows no timeout at all. So the work is done in a thread, and the caller stops waiting for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from projrun.errors import TrackingError
from projrun.tracking.runs import Deadline

RATE = 64 * 1024
"""Bytes a second: a large file may take as long as it needs for that."""

Moving = Callable[[Iterable[bytes]], Iterator[bytes]]
"""`Bounded.moving`."""

_POLL = 0.1
_RESULT = TypeVar("_RESULT")


class LateError(TrackingError):
    """There was no end within the time that this one call has."""


class Bounded(Generic[_RESULT]):
    """One call: `seconds` long, longer for the bytes that it moves, and never beyond the deadline of all work."""

    def __init__(self, seconds: float, deadline: Deadline | None) -> None:
        self._seconds = seconds
        self._deadline = deadline
        self._moved = 0
        self._abandoned = False
        self._done = threading.Event()

    def moving(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces of a file on their way; they stop once the caller has stopped waiting."""
        for piece in pieces:
            if self._abandoned:
                raise LateError("the caller has stopped waiting")
            self._moved += len(piece)
            yield piece

    def call(self, action: Callable[[], _RESULT]) -> _RESULT:
        """The result of `action`, or what it raises; LateError or OverdueError where it takes too long."""
        if self._deadline is not None:
            self._deadline.check()
        results: list[_RESULT] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                results.append(action())
            except BaseException as error:
                errors.append(error)
            self._done.set()

        threading.Thread(target=work, name="projrun-network", daemon=True).start()
        try:
            self._wait()
        except BaseException:
            self._abandoned = True
            raise
        if errors:
            raise errors[0]
        return results[0]

    def _wait(self) -> None:
        started = seen = time.monotonic()
        while not self._done.wait(_POLL):
            before, seen = seen, time.monotonic()
            if self._deadline is not None:
                self._deadline.waited(seen - before)  # on a busy machine a wait takes longer than asked for
                self._deadline.check()
            if seen - started > self._seconds + self._moved / RATE:
                raise LateError(f"no answer within {round(self._seconds, 1):g} s")
