"""The scoring server from its sockets to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from projrun.http.serving.listening import allow_connections
from projrun.http.serving.loop import configure, run_in_loop, serve_until
from projrun.http.serving.readiness import notify
from projrun.http.serving.stopping import stop_signals
from projrun.models.serving.app import App
from projrun.models.serving.bodies import Bodies
from projrun.models.serving.endpoint import Endpoint
from projrun.models.serving.following import Moved
from projrun.models.serving.served import ServedModel, ServingOptions
from projrun.reporting import Reporter


def serve(
    models: Sequence[ServedModel],
    options: ServingOptions,
    listeners: list[socket.socket],
    reporter: Reporter,
    ready: Callable[[], None] = lambda: None,
    moved: Mapping[str, Moved] = MappingProxyType({}),
) -> None:
    """Load the models and answer until a signal ends the server; SIGHUP loads them again. For the main thread.

    `ready` is called once requests are answered; `moved` says of models, by name, where their addresses lead by then.
    Raises ModelError where a model cannot be loaded.
    """
    allow_connections()
    bodies = Bodies(options.max_body, options.max_queue)
    endpoints = [Endpoint(model, options, bodies, reporter, moved.get(model.name)) for model in models]

    def started() -> None:
        ready()
        notify("READY=1")

    with _signals() as descriptor:
        try:
            run_in_loop(_work(endpoints, options, listeners, descriptor, started))
        finally:
            for listener in listeners:
                listener.close()


async def _work(
    endpoints: Sequence[Endpoint],
    options: ServingOptions,
    listeners: list[socket.socket],
    signals: int,
    ready: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    outdated = asyncio.Event()
    renewing: asyncio.Task[None] | None = None
    starting = asyncio.create_task(_each(each.pool.start() for each in endpoints))

    def signalled() -> None:
        if any(number != signal.SIGHUP for number in os.read(signals, 64)):
            loop.remove_reader(signals)
            stopping.set()
            starting.cancel()
        else:
            outdated.set()

    loop.add_reader(signals, signalled)
    try:
        await asyncio.wait([starting])
        if not starting.cancelled():
            starting.result()
            config = configure(App(endpoints))
            following = (each.follow() for each in endpoints)
            renewing = asyncio.create_task(_each([_reload(endpoints, outdated), *following]))
            await serve_until(stopping, listeners, config, options.grace, ready)
    finally:
        if renewing:
            renewing.cancel()
        await _each(each.pool.close() for each in endpoints)


async def _reload(endpoints: Sequence[Endpoint], outdated: asyncio.Event) -> None:
    """Load the models again each time they are outdated; once more where that happens while they are being loaded."""
    while await outdated.wait():
        outdated.clear()
        await _each(each.pool.reload() for each in endpoints)


async def _each(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All at the same time; where one fails, or this is cancelled, the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
