"""An ASGI application on a socket that listens already, in whatever thread calls: uvicorn without its signals."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import uvicorn

from projrun.server.app import create_app
from projrun.server.stores import Stores

_SILENT = 100
"""A log level above all: a run's output is its script's."""
_KEEP_ALIVE = 24 * 3600
"""Seconds: a script that logs once an hour finds its connection as it left it."""


def serve(listener: socket.socket, stop: socket.socket, database: Path, secret: str, grace: float) -> None:
    """Serve the store until `stop` can be read, then let requests under way finish for `grace` seconds."""
    loop = asyncio.SelectorEventLoop()
    try:
        loop.run_until_complete(_serve(listener, stop, database, secret, grace))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _serve(
    listener: socket.socket, stop: socket.socket, database: Path, secret: str, grace: float
) -> None:
    with Stores(database) as stores:
        server = uvicorn.Server(_configure(create_app(stores, secret), grace))
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_reader(stop, stopping.set)
        await server.startup(sockets=[listener])
        await stopping.wait()
        asyncio.get_running_loop().remove_reader(stop)
        await _shut_down(server, listener)


async def _shut_down(server: uvicorn.Server, listener: socket.socket) -> None:
    # One turn of the loop: connections whose client is gone end by themselves, and need no waiting.
    await asyncio.sleep(0)
    if server.server_state.connections:
        await server.shutdown(sockets=[listener])
        return
    for listening in server.servers:
        listening.close()


def _configure(app: object, grace: float) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own types of ASGI, which differ from Starlette's
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=_SILENT,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(grace),
    )
