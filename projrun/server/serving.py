"""An ASGI application on a socket that listens already, in whatever thread calls: uvicorn without its signals."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from projrun.server.protocol import BoundedProtocol, end_slow_requests
from projrun.server.stores import Stores

_SILENT = 100
"""A log level above all: a run's output is its script's."""
_KEEP_ALIVE = 24 * 3600
"""Seconds: a script that logs once an hour finds its connection as it left it."""
_POLL = 0.002
"""Seconds between two looks at the connections that are left when closing."""


def serve(
    listeners: list[socket.socket],
    stop: int,
    stores: Stores,
    app: ASGIApp,
    grace: float,
    ready: Callable[[], None] = lambda: None,
    certificate: tuple[str, str] | None = None,
) -> None:
    """Serve the stores until `stop`, a descriptor, can be read; then let requests finish for `grace` seconds.

    `ready` is called once requests are answered. With the files of a certificate and its key, TLS is spoken.
    """
    config = _configure(app, certificate)
    config.load()
    loop = asyncio.SelectorEventLoop()
    try:
        loop.run_until_complete(_serve(listeners, stop, stores, config, grace, ready))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _serve(
    listeners: list[socket.socket],
    stop: int,
    stores: Stores,
    config: uvicorn.Config,
    grace: float,
    ready: Callable[[], None],
) -> None:
    with stores:
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_reader(stop, stopping.set)
        await server.startup(sockets=listeners)
        watch = asyncio.create_task(end_slow_requests(server.server_state.connections))
        ready()
        await stopping.wait()
        watch.cancel()
        asyncio.get_running_loop().remove_reader(stop)
        await _shut_down(server, grace)


async def _shut_down(server: uvicorn.Server, grace: float) -> None:
    """Take no more; let requests under way finish, then break off those that did not.

    Not `Server.shutdown`, which sleeps for 0.1 s, and leaves an upload that hangs to its thread for ever.
    """
    for listening in server.servers:
        listening.close()
    connections, tasks = server.server_state.connections, set(server.server_state.tasks)
    for connection in list(connections):
        connection.shutdown()
    deadline = time.monotonic() + grace
    while connections and time.monotonic() < deadline:
        await asyncio.sleep(_POLL)
    for connection in list(connections):
        connection.transport.abort()
    if tasks:
        await asyncio.wait(tasks, timeout=1)


def _configure(app: object, certificate: tuple[str, str] | None) -> uvicorn.Config:
    file, key = certificate or (None, None)
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own types of ASGI, which differ from Starlette's
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=_SILENT,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
        ssl_certfile=file,
        ssl_keyfile=key,
    )
