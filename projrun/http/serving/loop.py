"""An ASGI application on sockets that listen already: uvicorn without its signals."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn

from projrun.http.serving.protocol import BoundedProtocol, end_slow_requests

_SILENT = 100
"""A log level above all: a run's output is its script's."""
_KEEP_ALIVE = 24 * 3600
"""Seconds: a script that logs once an hour finds its connection as it left it."""
_POLL = 0.002
"""Seconds between two looks at the connections that are left when closing."""


def run_in_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` in an event loop of its own, in whatever thread calls."""
    loop = asyncio.SelectorEventLoop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def serve_until(
    stopping: asyncio.Event,
    listeners: list[socket.socket],
    config: uvicorn.Config,
    grace: float,
    ready: Callable[[], None],
) -> None:
    """Answer until `stopping` is set; then let requests finish for `grace` seconds.

    `ready` is called once requests are answered.
    """
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=listeners)
    watch = asyncio.create_task(end_slow_requests(server.server_state.connections))
    ready()
    await stopping.wait()
    watch.cancel()
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


def configure(app: object, certificate: tuple[str, str] | None = None) -> uvicorn.Config:
    """How the application is served; with the files of a certificate and its key, TLS is spoken.

    Raises OSError and ValueError for a certificate that cannot be used.
    """
    file, key = certificate or (None, None)
    config = uvicorn.Config(
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
    config.load()
    return config
