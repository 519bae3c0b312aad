"""The scoring server from its sockets to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from projrun.http.serving.loop import configure, run_in_loop, serve_until
from projrun.http.serving.readiness import notify
from projrun.http.serving.stopping import stop_signals
from projrun.models.serving.app import App
from projrun.models.serving.pool import Pool
from projrun.models.serving.served import ServedModel, ServingOptions
from projrun.reporting import Reporter


def serve(
    model: ServedModel,
    options: ServingOptions,
    listeners: list[socket.socket],
    reporter: Reporter,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Load the model and answer until a signal ends the server; SIGHUP loads it again. For the main thread.

    `ready` is called once requests are answered. Raises ModelError where the model cannot be loaded.
    """
    pool = Pool(model, options, reporter)

    def started() -> None:
        ready()
        notify("READY=1")

    with _signals() as descriptor:
        try:
            run_in_loop(_work(pool, options, listeners, descriptor, started))
        finally:
            for listener in listeners:
                listener.close()


async def _work(
    pool: Pool,
    options: ServingOptions,
    listeners: list[socket.socket],
    signals: int,
    ready: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    reloads: set[asyncio.Task[None]] = set()
    starting = asyncio.create_task(pool.start())

    def signalled() -> None:
        if any(number != signal.SIGHUP for number in os.read(signals, 64)):
            loop.remove_reader(signals)
            stopping.set()
            starting.cancel()
        elif starting.done() and not reloads:
            reloads.add(task := asyncio.create_task(pool.reload()))
            task.add_done_callback(reloads.discard)

    loop.add_reader(signals, signalled)
    try:
        await asyncio.wait([starting])
        if not starting.cancelled():
            starting.result()
            config = configure(App(pool, options.max_body))
            await serve_until(stopping, listeners, config, options.grace, ready)
    finally:
        for task in reloads:
            task.cancel()
        await pool.close()


@contextmanager
def _signals() -> Iterator[int]:
    """A descriptor from which the numbers of signals that came are read."""
    with stop_signals() as descriptor:
        # The handler does nothing: that there is one makes Python write the signal's number.
        before = signal.signal(signal.SIGHUP, lambda number, frame: None)
        try:
            yield descriptor
        finally:
            signal.signal(signal.SIGHUP, before)
