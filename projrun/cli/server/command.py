"""`projrun server`: a tracking server of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from projrun.cli.options import server_options
from projrun.cli.rendering import one_line, print_text, print_warning
from projrun.directories import Directories
from projrun.errors import RequestError
from projrun.settings import Settings
from projrun.settings.server import SERVER_OPTIONS
from projrun.tracking.open import open_store
from projrun.tracking.uri import TrackingUri, parse_tracking_uri


@click.group(invoke_without_command=True)
@server_options
@click.pass_context
def server(context: click.Context, /, **values: Any) -> None:
    """Serve a store to a team: a tracking server and model registry that MLflow's clients record to.

    Listens on this machine alone unless --host names another address. Ctrl-C or SIGTERM ends it once
    requests under way are answered.

    \b
    projrun server                                    the embedded store, at http://127.0.0.1:5000
    projrun server --backend-store-uri sqlite:////srv/projrun/store.db
    projrun server --host 0.0.0.0 --no-auth           for everybody who reaches this machine
    """
    if context.invoked_subcommand is None:
        serve(values)


def serve(values: dict[str, Any]) -> None:
    """Serve until a signal ends it, as the values of the options by keyword say."""
    places = Directories.locate(os.environ)
    given = {option.name: values[option.keyword] for option in SERVER_OPTIONS.values()}
    settings = Settings(
        {name: "1" if value is True else value for name, value in given.items() if value is not False},
        os.environ, places.config, SERVER_OPTIONS,
    )  # fmt: skip
    host, port = _address(settings)
    uri = _store(settings, places)
    # Everything that can be wrong with the request is found before the server's modules are imported.
    open_store(uri, os.environ, warn=print_warning).close()
    from projrun.server.program.guard import Guard
    from projrun.server.program.listening import listen, url
    from projrun.server.program.running import run_server

    listeners = listen(host, port)
    line = one_line(f"projrun server: listening on {', '.join(map(url, listeners))}; serves {uri.shown}")
    run_server(
        listeners,
        lambda: open_store(uri, os.environ, warn=lambda text: None),
        Guard(),
        lambda: print_text(line),
    )


def _address(settings: Settings) -> tuple[str, int]:
    from projrun.server.program.listening import is_loopback

    host, port = settings.text("host", "127.0.0.1"), settings.text("port", "5000")
    if not port.value.isascii() or not port.value.isdecimal() or int(port.value) > 65535:
        raise RequestError(
            f"{port.origin}: {port.value!r} is not a port", hint="for example 5000; 0 takes a free one"
        )
    if not is_loopback(host.value) and not settings.enabled("no-auth"):
        raise RequestError(
            f"{host.origin}: other machines reach {host.value}, and this server has no users",
            hint="--no-auth lets everybody who reaches it read and write all; without --host only this machine does",
        )
    return host.value, int(port.value)


def _store(settings: Settings, places: Directories) -> TrackingUri:
    chosen = settings.get("backend-store-uri")
    if chosen is None:
        return parse_tracking_uri(f"sqlite:///{places.database}")
    return parse_tracking_uri(chosen.value, Path.cwd())
