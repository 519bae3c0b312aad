"""The server from its sockets to its end."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from ipaddress import ip_network

from starlette.types import ASGIApp

from projrun.errors import RequestError
from projrun.http.serving.listening import allow_connections
from projrun.http.serving.readiness import notify
from projrun.http.serving.stopping import stop_signals
from projrun.server.api import Route
from projrun.server.app import ROUTES, create_api
from projrun.server.program.configuration import Program
from projrun.server.program.observing import Requests, metrics_route
from projrun.server.program.origins import Origins
from projrun.server.program.refusing import served_routes
from projrun.server.program.session import session_route
from projrun.server.program.surroundings import Surroundings
from projrun.server.serving import serve
from projrun.server.stores import FileService, OpenStore, Stores

GRACE = 8.0
"""Seconds that requests under way have at the end: Docker kills after ten."""


def run_server(
    program: Program, listeners: list[socket.socket], open_store: OpenStore, ready: Callable[[], None]
) -> None:
    """Serve the store until a signal ends it; `ready` is called once requests are answered. For the main thread.

    Raises RequestError for a certificate that cannot be used.
    """
    allow_connections()

    def started() -> None:
        ready()
        notify("READY=1")

    def work(ready: Callable[[], None]) -> None:
        _serve(program, listeners, open_store, ready)

    try:
        if program.workers == 1:
            work(started)
        else:
            from projrun.server.program.workers import Workers

            Workers(work).run(program.workers, started)
    finally:
        for listener in listeners:
            listener.close()


def _serve(
    program: Program, listeners: list[socket.socket], open_store: OpenStore, ready: Callable[[], None]
) -> None:
    def settled() -> None:
        # What is there now is never garbage: a collection would look through it while a request waits.
        gc.freeze()
        gc.enable()
        ready()

    stores = Stores(open_store, files=FileService(program.serve_artifacts, program.upload_limit))
    app = surrounded(program, stores)
    with stop_signals() as stop:
        try:
            serve(listeners, stop, stores, app, GRACE, settled, _certificate(program))
        except (OSError, ValueError) as error:  # ssl's errors are OSErrors
            if not program.certificate:
                raise
            raise RequestError(f"the certificate {program.certificate} cannot be used: {error}") from error


def surrounded(program: Program, stores: Stores) -> Surroundings:
    """The application with what surrounds it."""
    origins = Origins(program.allowed_hosts, program.allowed_origins)
    requests = Requests(program.log_format)
    metrics = metrics_route(requests, public=program.public_metrics)

    def served(routes: tuple[Route, ...]) -> tuple[Route, ...]:
        return (*served_routes(routes, program), metrics)

    if program.users:
        api = _with_users(program, stores, served)
    else:
        api = create_api(stores, (*served(ROUTES), session_route(read_only=program.read_only)))
    return Surroundings(api, origins, program.prefix, requests, program.frames)


def _with_users(
    program: Program, stores: Stores, served: Callable[[tuple[Route, ...]], tuple[Route, ...]]
) -> ASGIApp:
    from projrun.server.access.app import create_api_with_users
    from projrun.server.access.routes.session import Setting
    from projrun.server.access.signing_in import Proxy

    proxy = None
    if program.user_header:
        networks = tuple(ip_network(each) for each in program.proxies)
        proxy = Proxy(program.user_header.lower().encode("latin-1"), networks)
    return create_api_with_users(
        stores,
        default_permission=program.default_permission,
        proxy=proxy,
        served=served,
        setting=Setting(program.read_only, program.prefix or "/"),
    )


def _certificate(program: Program) -> tuple[str, str] | None:
    return (program.certificate, program.key or program.certificate) if program.certificate else None
