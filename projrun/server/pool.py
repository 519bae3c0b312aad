"""Threads for calls that wait for a database, at less than `run_in_executor` costs: that is half of a short call."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

Answer = TypeVar("Answer")
Waiting = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Pool:
    """At most so many threads, each started when a call finds none that waits."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._threads: list[threading.Thread] = []
        self._under_way = 0
        self._waiting: SimpleQueue[Waiting | None] = SimpleQueue()

    async def run(self, call: Callable[..., Answer], *values: Any) -> Answer:
        """The answer of a call, which is made also where its client has gone. For the thread of the event loop."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._under_way += 1
        if self._under_way > len(self._threads) < self._most:
            thread = threading.Thread(
                target=self._work, name=f"{self._name}_{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self._waiting.put((future, call, values))
        return await future

    def close(self) -> None:
        """Let calls under way finish; those that wait are not made."""
        while not self._waiting.empty():
            with suppress(Empty):  # a thread was faster
                if waiting := self._waiting.get_nowait():
                    waiting[0].cancel()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            future, call, values = waiting
            answer, error = None, None
            try:
                answer = call(*values)
            except BaseException as raised:
                error = raised
            try:
                future.get_loop().call_soon_threadsafe(self._settle, future, answer, error)
            except RuntimeError:  # the loop has ended
                return
            del waiting, future, call, values, answer, error

    def _settle(self, future: asyncio.Future[Any], answer: Any, error: BaseException | None) -> None:
        self._under_way -= 1
        settle(future, answer, error)


def settle(future: asyncio.Future[Any], answer: Any, error: BaseException | None) -> None:
    """Tell who waits how the call went."""
    if future.done():  # the client has gone
        return
    if error is None:
        future.set_result(answer)
    else:
        future.set_exception(error)
