"""The server from its sockets to its end."""

from __future__ import annotations

import socket
from collections.abc import Callable

from projrun.server.app import create_api
from projrun.server.program.guard import Guard
from projrun.server.program.stopping import stop_signals
from projrun.server.program.surroundings import Surroundings
from projrun.server.serving import serve
from projrun.server.stores import OpenStore, Stores

GRACE = 8.0
"""Seconds that requests under way have at the end: Docker kills after ten."""


def run_server(
    listeners: list[socket.socket], open_store: OpenStore, guard: Guard, ready: Callable[[], None]
) -> None:
    """Serve the store until a signal ends it; `ready` is called once requests are answered. For the main thread."""
    stores = Stores(open_store)
    app = Surroundings(create_api(stores), guard)
    with stop_signals() as stop:
        serve(listeners, stop, stores, app, GRACE, ready)
