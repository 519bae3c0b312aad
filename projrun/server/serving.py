"""The store's application on sockets that listen already, in whatever thread calls."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from starlette.types import ASGIApp

from projrun.http.serving.loop import configure, run_in_loop, serve_until
from projrun.server.stores import Stores


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
    config = configure(app, certificate)

    async def work() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(stop)
            stopping.set()

        with stores:
            loop.add_reader(stop, end)
            await serve_until(stopping, listeners, config, grace, ready)

    run_in_loop(work())
