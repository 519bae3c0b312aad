"""`projrun server users` and `projrun server tokens`: who may sign in to a server with `--auth`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from projrun.cli.mistakes import asked_wrongly
from projrun.cli.options import click_option, json_option, table_options
from projrun.cli.rendering import print_json, print_line, print_text, print_warning
from projrun.cli.server.opening import backend_uri, server_settings
from projrun.cli.tables import Layout, Table, print_table, time_cell
from projrun.directories import Directories
from projrun.errors import RequestError
from projrun.settings.server import BACKEND_STORE
from projrun.tracking.open import open_store
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.users import Users

PERMISSIONS = ("READ", "EDIT", "MANAGE", "NO_PERMISSIONS")
_DAY = 24 * 3600 * 1000

backend_store_option = click_option(BACKEND_STORE, "run")
password_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)


@click.group()
def users() -> None:
    """Manage users of a server with --auth. Say who may sign in, and what each may do.

    \b
    projrun server users create ann --admin
    projrun server users grant bob EDIT --experiment 3

    A change counts at once, also for a server that is running.
    """


@click.group()
def tokens() -> None:
    """Manage tokens of users. Programs sign in with them instead of a password.

    \b
    projrun server tokens create ann ci --days 90
    export MLFLOW_TRACKING_TOKEN=projrun_...
    """


@contextmanager
def users_of(values: Mapping[str, Any]) -> Iterator[Users]:
    """The users of the store that `--backend-store-uri` names."""
    with _store(values) as store:
        yield part_of(store, Users)


@contextmanager
def _store(values: Mapping[str, Any]) -> Iterator[RunStore]:
    places = Directories.locate(os.environ)
    settings = server_settings(values, places)
    store = open_store(backend_uri(settings, places), os.environ, warn=print_warning)
    try:
        with asked_wrongly():
            yield store
    finally:
        store.close()


def _password(*, from_stdin: bool) -> str:
    """A new password, hashed."""
    from projrun.server.access.passwords import check_password, hashed

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise RequestError("no terminal to ask for the password", hint="give it with --password-stdin")
    check_password(password)
    return hashed(password)


@users.command("create")
@click.argument("name")
@click.option("--admin", is_flag=True, help="May do everything, and manage users.")
@password_stdin_option
@backend_store_option
def create_user(name: str, *, admin: bool, password_stdin: bool, **values: Any) -> None:
    """Create a user; asks for the password."""
    with users_of(values) as known:
        known.create_user(name, _password(from_stdin=password_stdin), is_admin=admin)
    print_line(f"created the {'administrator' if admin else 'user'} {name}")


@users.command("list")
@table_options
@json_option
@backend_store_option
def list_users(*, as_json: bool, layout: Layout, **values: Any) -> None:
    """List users."""
    with users_of(values) as known:
        found = known.list_users()
    if as_json:
        print_json({"users": [{"name": user.name, "is_admin": user.is_admin} for user in found]})
        return
    rows = [(user.name, "administrator" if user.is_admin else "") for user in found]
    print_table(Table("users", ("NAME", "ROLE"), cutting=("NAME",)), rows, layout)


@users.command("password")
@click.argument("name")
@password_stdin_option
@backend_store_option
def change_password(name: str, *, password_stdin: bool, **values: Any) -> None:
    """Give a user another password. The earlier one is refused at once."""
    with users_of(values) as known:
        known.get_user(name)
        known.update_user(name, secret=_password(from_stdin=password_stdin))
    print_line(f"changed the password of {name}")


@users.command("update")
@click.argument("name")
@click.option("--admin/--no-admin", required=True, help="Whether the user may do everything.")
@backend_store_option
def update_user(name: str, *, admin: bool, **values: Any) -> None:
    """Make a user an administrator, or no longer one."""
    with users_of(values) as known:
        known.update_user(name, is_admin=admin)
    print_line(f"{name} is {'an administrator' if admin else 'no administrator'}")


@users.command("delete")
@click.argument("name")
@backend_store_option
def delete_user(name: str, **values: Any) -> None:
    """Delete a user with all tokens and permissions. Runs and models stay."""
    with users_of(values) as known:
        known.delete_user(name)
    print_line(f"deleted the user {name}")


@users.command("grant")
@click.argument("name")
@click.argument("permission", metavar="PERMISSION", type=click.Choice(PERMISSIONS, case_sensitive=False))
@click.option("--experiment", metavar="ID", help="Id of the experiment; * for all.")
@click.option("--model", metavar="NAME", help="Name of the registered model; * for all.")
@backend_store_option
def grant(name: str, permission: str, experiment: str | None, model: str | None, **values: Any) -> None:
    """Let a user READ, EDIT or MANAGE an experiment or a model. NO_PERMISSIONS takes all away."""
    kind, resource = _resource(experiment, model)
    with _store(values) as store:
        if experiment not in (None, "*"):  # the server's models may be in another store
            store.get_experiment(resource)
        part_of(store, Users).grant(name, kind, resource, permission.upper(), again=True)
    print_line(f"{name}: {permission.upper()} on {kind.replace('_', ' ')} {resource}")


@users.command("revoke")
@click.argument("name")
@click.option("--experiment", metavar="ID", help="Id of the experiment; * for all.")
@click.option("--model", metavar="NAME", help="Name of the registered model; * for all.")
@backend_store_option
def revoke(name: str, experiment: str | None, model: str | None, **values: Any) -> None:
    """Take back what a user was granted. The server's default permission counts again."""
    kind, resource = _resource(experiment, model)
    with users_of(values) as known:
        known.revoke(name, kind, resource)
    print_line(f"{name}: no grant on {kind.replace('_', ' ')} {resource}")


def _resource(experiment: str | None, model: str | None) -> tuple[str, str]:
    if (experiment is None) == (model is None):
        raise RequestError("a permission is on one thing", hint="give --experiment ID or --model NAME")
    if experiment is not None:
        return "experiment", experiment
    return "registered_model", model or ""


@tokens.command("create")
@click.argument("user")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 36500), help="Days that it is valid.  [default: no limit]")
@backend_store_option
def create_token(user: str, name: str, *, days: int | None, **values: Any) -> None:
    """Create a token of a user and print it: it is shown only this once."""
    from projrun.server.access.passwords import digest, new_token

    token = new_token()
    expiry = None if days is None else int(time.time() * 1000) + days * _DAY
    with users_of(values) as known:
        known.create_token(user, name, digest(token), expiry)
    print_text(token)


@tokens.command("list")
@click.argument("user")
@table_options
@json_option
@backend_store_option
def list_tokens(user: str, *, as_json: bool, layout: Layout, **values: Any) -> None:
    """List a user's tokens; what they are is not kept."""
    with users_of(values) as known:
        found = known.list_tokens(user)
    if as_json:
        print_json({"tokens": [token._asdict() for token in found]})
        return
    rows = [(token.name, time_cell(token.creation_time), time_cell(token.expiry_time)) for token in found]
    table = Table("tokens", ("NAME", "CREATED", "EXPIRES"), hiding=("CREATED",), cutting=("NAME",))
    print_table(table, rows, layout)


@tokens.command("delete")
@click.argument("user")
@click.argument("name")
@backend_store_option
def delete_token(user: str, name: str, **values: Any) -> None:
    """Delete a token: it is refused at once."""
    with users_of(values) as known:
        known.delete_token(user, name)
    print_line(f"deleted the token {name} of {user}")
