"""`projrun server`: a tracking server of its own."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from projrun.cli.options import options_from
from projrun.cli.rendering import one_line, print_text
from projrun.cli.server.endpoint import endpoint
from projrun.cli.server.opening import served_store, server_settings
from projrun.cli.server.signing import require_users, with_users
from projrun.cli.server.upgrading import upgrade_db
from projrun.cli.server.users import tokens, users
from projrun.directories import Directories
from projrun.errors import RequestError
from projrun.server.program.configuration import FRAMES, LOG_FORMATS, Program
from projrun.settings import Settings
from projrun.settings.server import SERVER_OPTIONS
from projrun.tracking.sql.served import mark_served


# Said here, since older versions of click do not say that a command may be left out.
@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND] [ARGS]...")
@options_from(SERVER_OPTIONS)
@click.pass_context
def server(context: click.Context, /, **values: Any) -> None:
    """Serve a store to a team: a tracking server and model registry that MLflow's clients record to.

    Listens on this machine alone unless --host names another address. Ctrl-C or SIGTERM ends it once
    requests under way are answered.

    \b
    projrun server                            the embedded store, on port 5000
    projrun server --backend-store-uri sqlite:////srv/projrun/store.db
    projrun server --host 0.0.0.0 --auth      for users on other machines
    """
    if context.invoked_subcommand is None:
        places = Directories.locate(os.environ)
        serve(server_settings(values, places), places)


server.add_command(endpoint)
server.add_command(upgrade_db)
server.add_command(users)
server.add_command(tokens)


def serve(
    settings: Settings,
    places: Directories,
    *,
    any_port: bool = False,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve until a signal ends it, as the settings say; `any_port` takes another where that of no option is in use.

    `ready` is called with the address, for a browser, once requests are answered.
    """
    gc.disable()  # what starting makes, stays: to look through it for garbage takes 20 ms
    try:
        _serve(settings, places, any_port=any_port, ready=ready)
    finally:
        gc.enable()


def _serve(settings: Settings, places: Directories, *, any_port: bool, ready: Callable[[str], None]) -> None:
    from projrun.http.serving.listening import listen, url
    from projrun.http.serving.readiness import handed_over

    host, port = _address(settings)
    program = with_users(_program(settings), settings)
    # Everything that can be wrong with the request is found before the server's modules are imported.
    served = served_store(settings, places, program.workers)
    if program.users:
        with closing(served.open()) as store:
            require_users(store, program)
    given = handed_over()
    try:
        listeners = given or listen(host, port)
    except RequestError:
        if not any_port or settings.get("port"):
            raise
        listeners = listen(host, 0)
    if not program.read_only and (_is_for_others(host, program) or given):
        for database in served.databases:
            mark_served(database)
    from projrun.server.program.running import run_server

    addresses = [f"{url(one, program.scheme)}{program.prefix}" for one in listeners]
    line = one_line(f"projrun server: listening on {', '.join(addresses)}; serves {served.shown}")

    def started() -> None:
        print_text(line)
        ready(addresses[0])

    run_server(program, listeners, served.open, started)


def _is_for_others(host: str, program: Program) -> bool:
    """Whether other people reach the server: by its address, or by a proxy before it."""
    from projrun.http.serving.listening import is_loopback

    return not is_loopback(host) or program.users or bool(program.allowed_hosts)


def _program(settings: Settings) -> Program:
    serving, alone = settings.text("serve-artifacts", "1"), settings.enabled("artifacts-only")
    if alone and not settings.is_true(serving):
        raise RequestError(
            "--artifacts-only and --no-serve-artifacts together serve nothing", hint="give one of them"
        )
    return Program(
        allowed_hosts=_words(settings, "allowed-hosts"),
        allowed_origins=_words(settings, "cors-allowed-origins"),
        frames=_one_of(settings, "x-frame-options", FRAMES),
        prefix=_prefix(settings),
        serve_artifacts=settings.is_true(serving),
        upload_limit=_upload_limit(settings),
        artifacts_only=alone,
        public_metrics=settings.enabled("public-metrics"),
        read_only=settings.enabled("read-only"),
        certificate=_file(settings, "ssl-certfile"),
        key=_key(settings),
        log_format=_one_of(settings, "log-format", LOG_FORMATS),
        workers=_workers(settings),
    )


def _upload_limit(settings: Settings) -> int | None:
    from projrun.cli.quantities import parse_size

    chosen = settings.get("upload-limit")
    if chosen is None:
        return None
    limit = parse_size(chosen.value, chosen.origin)
    if limit == 0:
        raise RequestError(
            f"{chosen.origin}: no file has 0 bytes", hint="--no-serve-artifacts takes no artifacts"
        )
    return limit


def _words(settings: Settings, name: str) -> tuple[str, ...]:
    return tuple(word for part in settings.text(name, "").value.split(",") if (word := part.strip()))


def _prefix(settings: Settings) -> str:
    prefix = settings.text("static-prefix", "")
    if prefix.value and (not prefix.value.startswith("/") or set("?#{}") & set(prefix.value)):
        raise RequestError(f"{prefix.origin}: {prefix.value!r} is not a path", hint="for example /mlflow")
    return prefix.value.rstrip("/")


def _file(settings: Settings, name: str) -> str:
    setting = settings.text(name, "")
    if setting.value and not Path(setting.value).is_file():
        raise RequestError(f"{setting.origin}: file not found: {setting.value}")
    return setting.value


def _key(settings: Settings) -> str:
    """Raises RequestError for a key alone: who gives one does not expect plain http."""
    key = _file(settings, "ssl-keyfile")
    if key and not settings.get("ssl-certfile"):
        raise RequestError(
            f"{settings.text('ssl-keyfile', '').origin}: a key without a certificate makes no https",
            hint="add --ssl-certfile FILE",
        )
    return key


def _one_of(settings: Settings, name: str, words: tuple[str, ...]) -> str:
    """The word of a setting, in whatever case; the first of them where there is none."""
    chosen = settings.text(name, words[0])
    found = next((word for word in words if word.lower() == chosen.value.lower()), None)
    if found is None:
        raise RequestError(
            f"{chosen.origin}: {chosen.value!r} is not a value of it", hint=f"one of {', '.join(words)}"
        )
    return found


def _workers(settings: Settings) -> int:
    chosen = settings.text("workers", "1")
    if not chosen.value.isascii() or not chosen.value.isdecimal() or not 1 <= int(chosen.value) <= 64:
        raise RequestError(
            f"{chosen.origin}: {chosen.value!r} is not a number of processes", hint="from 1 to 64"
        )
    return int(chosen.value)


def _address(settings: Settings) -> tuple[str, int]:
    from projrun.http.serving.listening import is_loopback

    host, port = settings.text("host", "127.0.0.1"), settings.text("port", "5000")
    if not port.value.isascii() or not port.value.isdecimal() or int(port.value) > 65535:
        raise RequestError(
            f"{port.origin}: {port.value!r} is not a port", hint="for example 5000; 0 takes a free one"
        )
    if not (is_loopback(host.value) or settings.enabled("auth") or settings.enabled("no-auth")):
        raise RequestError(
            f"{host.origin}: other machines reach {host.value}, and this server has no users",
            hint="--auth makes callers sign in; --no-auth lets everybody who reaches it read and write all;"
            " without --host only this machine does",
        )
    return host.value, int(port.value)
