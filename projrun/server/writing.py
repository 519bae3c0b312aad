"""One thread that writes: calls that wait are written together, each kept or undone by itself.

A commit costs more than what most calls write. SQLite has one writer anyway.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from projrun.server.pool import settle
from projrun.tracking.runs import LocalStore, RunStore

Call = Callable[[RunStore], Any]
Settled = tuple["asyncio.Future[Any]", Any, BaseException | None]

LONGEST = 0.02
"""Seconds of calls in one transaction: the first of them waits for the last."""


class Writer:
    """The thread, and what waits for it."""

    def __init__(self, store: RunStore, local: LocalStore, loop: asyncio.AbstractEventLoop) -> None:
        """`store` and what it is on this machine are the thread's from now on."""
        self._store = store
        self._local = local
        self._loop = loop
        self._under_way = 0
        self._waiting: SimpleQueue[tuple[Call, asyncio.Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="projrun-writer", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether no call waits for its answer."""
        return not self._under_way

    async def write(self, call: Call) -> Any:
        """The answer of a call that may write."""
        future = self._loop.create_future()
        self._under_way += 1
        self._waiting.put((call, future))
        # Also of a client who has gone, the call is made.
        future.add_done_callback(self._ended)
        return await future

    def _ended(self, future: asyncio.Future[Any]) -> None:
        self._under_way -= 1

    def close(self, patience: float) -> bool:
        """Write what waits, and end; whether that was done within `patience` seconds."""
        self._waiting.put(None)
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            settled = self._written(first)
            self._loop.call_soon_threadsafe(_settle, settled)

    def _written(self, first: tuple[Call, asyncio.Future[Any]]) -> list[Settled]:
        """The calls that could be made together, with their answers or errors."""
        answered: list[Settled] = [(first[1], None, None)]
        try:
            with self._local.joined():
                answered = [self._answered(*first)]
                end = time.monotonic() + LONGEST
                while time.monotonic() < end and (following := self._next()) is not None:
                    answered.append(self._answered(*following))
        except BaseException as error:
            # Nothing was kept; who waits meets the same, and later than it has to.
            waiting = iter(self._next, None)
            futures = [*(future for future, _, _ in answered), *(future for _, future in waiting)]
            return [(future, None, error) for future in futures]
        return answered

    def _answered(self, call: Call, future: asyncio.Future[Any]) -> Settled:
        try:
            return future, call(self._store), None
        except BaseException as error:
            return future, None, error

    def _next(self) -> tuple[Call, asyncio.Future[Any]] | None:
        try:
            following = self._waiting.get_nowait()
        except Empty:
            return None
        if following is None:  # the end, which is for `_run`
            self._waiting.put(None)
        return following


def _settle(settled: list[Settled]) -> None:
    for one in settled:
        settle(*one)
