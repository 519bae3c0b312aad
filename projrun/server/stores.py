"""The store for many requests at once: one thread writes, a few read, each with a connection of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from projrun.server.places import served_folder
from projrun.tracking.runs import RunStore

Answer = TypeVar("Answer")

OpenStore = Callable[[], RunStore]
OnCreate = Callable[[str], None]
"""Called with the id of each run that a client creates, before the client knows it."""

READERS = 3


class Stores:
    """A context manager; on exit, calls under way finish and the connections close."""

    def __init__(self, open_store: OpenStore, on_create: OnCreate = lambda run_id: None) -> None:
        """`open_store` is called once in each thread, when a request needs it."""
        self._open_store = open_store
        self.on_create = on_create
        self._writer = ThreadPoolExecutor(1, "projrun-writer")
        self._readers = ThreadPoolExecutor(READERS, "projrun-reader")
        self._mine = threading.local()
        self._opened: list[RunStore] = []
        self._folder: tuple[Path | None] | None = None

    async def read(self, call: Callable[[RunStore], Answer]) -> Answer:
        """The answer of a call that only reads."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._answer, call)

    async def write(self, call: Callable[[RunStore], Answer]) -> Answer:
        """The answer of a call that may write: one after the other, as SQLite would have it anyway."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._answer, call)

    async def folder(self) -> Path | None:
        """Where the store keeps the artifacts that it serves; None where that is not a folder of this machine."""
        if self._folder is None:
            self._folder = (await self.read(served_folder),)
        return self._folder[0]

    def _answer(self, call: Callable[[RunStore], Answer]) -> Answer:
        store: RunStore | None = getattr(self._mine, "store", None)
        if store is None:
            store = self._mine.store = self._open_store()
            self._opened.append(store)
        return call(store)

    def __enter__(self) -> Stores:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for executor in (self._writer, self._readers):
            executor.shutdown(wait=True, cancel_futures=True)
        for store in self._opened:
            store.close()
