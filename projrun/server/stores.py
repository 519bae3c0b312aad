"""The store for many requests at once.

Calls of a store on this machine are short: what reads little is called on the event loop, and one thread writes. What
writes little is called on the loop, too, while that thread has nothing to do.
Searches, and all calls of other stores, are made in a pool of threads, each with a connection of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from projrun.errors import TrackingError
from projrun.server.places import served_folder
from projrun.server.pool import Pool
from projrun.server.writing import Writer
from projrun.tracking.parts import find_part
from projrun.tracking.runs import LocalStore, RunStore
from projrun.tuples import NamedTuple

Answer = TypeVar("Answer")

OpenStore = Callable[[], RunStore]
OnCreate = Callable[[str], None]
"""Called with the id of each run that a client creates, before the client knows it."""

THREADS = 8
LOCK_WAIT = 10.0
"""Seconds that what is written waits for another program's lock: all others wait behind it."""
INLINE = 200
"""Calls in a row that write without a change of thread; the next one moves what they left in SQLite's log."""
PATIENCE = 5.0
"""Seconds that the last writes have at the end."""


class FileService(NamedTuple):
    """What a server does with artifacts."""

    serves: bool = True
    """It passes on the files of `mlflow-artifacts:` (`--serve-artifacts`)."""
    upload_limit: int | None = None
    """Bytes of a file that it takes."""


class Stores:
    """A context manager; on exit, calls under way finish and the connections close."""

    def __init__(
        self,
        open_store: OpenStore,
        on_create: OnCreate = lambda run_id: None,
        files: FileService = FileService(),  # noqa: B008 (a record that never changes)
    ) -> None:
        """`open_store` is called once in each thread, when a request needs it."""
        self._open_store = open_store
        self.on_create = on_create
        self.files = files
        self._threads = Pool(THREADS, "projrun-store")
        self._mine = threading.local()
        self._opened: list[RunStore] = []
        self._opening: asyncio.Lock | None = None
        self._known = False
        self._local: LocalStore | None = None
        self._quick: RunStore | None = None
        self._writer: Writer | None = None
        self._inline = 0
        """Calls that may still write without a change of thread."""
        self._writes_quickly = False
        self._folder: tuple[Path | None] | None = None

    async def read(self, call: Callable[[RunStore], Answer], *, quick: bool = False) -> Answer:
        """The answer of a call that only reads; a `quick` one takes no longer than to hand it to a thread."""
        if quick:
            if not self._known:
                await self._learn()
            if self._quick is not None:
                try:
                    return call(self._quick)
                except TrackingError as error:
                    if type(error) is not TrackingError:
                        raise
                    # Locked: a thread can wait.
        return await self._threads.run(self._answer, call)

    async def write(self, call: Callable[[RunStore], Answer], *, quick: bool = False) -> Answer:
        """The answer of a call that may write; a `quick` one takes no longer than to hand it to a thread."""
        if not self._known:
            await self._learn()
        if self._writer is not None and self._quick is not None:
            if quick and self._inline and self._writer.idle:
                self._inline -= 1
                try:
                    return call(self._quick)
                except TrackingError as error:
                    if type(error) is not TrackingError:
                        raise
                    # Locked, and nothing was written: the thread can wait.
            self._inline = INLINE if self._writes_quickly else 0
            answer: Answer = await self._writer.write(call)
            return answer
        return await self._threads.run(self._answer, call)

    async def folder(self) -> Path | None:
        """Where the store keeps the artifacts that it serves; None where that is not a folder of this machine."""
        if self._folder is None:
            self._folder = (await self.read(served_folder),)
        return self._folder[0]

    async def _learn(self) -> None:
        """What kind of store it is: opened in a thread, since that may wait for a server."""
        self._opening = self._opening or asyncio.Lock()
        async with self._opening:
            if self._known:
                return
            quick, local = await self._threads.run(self._open)
            if local is not None:
                self._local = local
                store, writes = await self._threads.run(self._open)
                assert writes is not None  # noqa: S101 - the same store
                self._writes_quickly = local.hurry()
                writes.wait_at_most(LOCK_WAIT)
                self._quick, self._writer = quick, Writer(store, writes, asyncio.get_running_loop())
            self._known = True

    def _open(self) -> tuple[RunStore, LocalStore | None]:
        if self._local is not None:
            self._local.check_place()
        store = self._open_store()
        self._opened.append(store)
        return store, find_part(store, LocalStore)

    def _answer(self, call: Callable[[RunStore], Answer]) -> Answer:
        store: RunStore | None = getattr(self._mine, "store", None)
        if store is None:
            store, _ = self._open()
            self._mine.store = store
        return call(store)

    def __enter__(self) -> Stores:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.close()
        if self._writer is not None and not self._writer.close(PATIENCE):
            return  # it still waits for another program's lock, and no client has had an answer
        for store in self._opened:
            store.close()
