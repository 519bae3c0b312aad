"""The settings of a server about users, and its first administrator."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_network

from projrun.errors import InvalidValueError, RequestError
from projrun.server.program.configuration import Program
from projrun.settings import Settings
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.users import Users

LEVELS = ("READ", "EDIT", "MANAGE", "NO_PERMISSIONS")
ADMIN_NAME, ADMIN_PASSWORD = "MLFLOW_AUTH_ADMIN_USERNAME", "MLFLOW_AUTH_ADMIN_PASSWORD"


def with_users(program: Program, settings: Settings) -> Program:
    """The program with what the settings say of users. Raises RequestError."""
    header = settings.text("auth-header", "")
    networks = settings.text("auth-header-from", "")
    if not settings.enabled("auth"):
        if header.value:
            raise RequestError(f"{header.origin} needs --auth")
        return program
    if settings.enabled("no-auth"):
        raise RequestError("--auth and --no-auth exclude each other")
    level = settings.text("default-permission", "READ")
    if level.value.upper() not in LEVELS:
        raise RequestError(
            f"{level.origin}: {level.value!r} is not a permission", hint=f"one of {', '.join(LEVELS)}"
        )
    proxies = tuple(word for part in networks.value.split(",") if (word := part.strip()))
    if bool(header.value) != bool(proxies):
        raise RequestError(
            "--auth-header and --auth-header-from need each other",
            hint="only a proxy whose address is known may say who signed in, for example --auth-header-from 10.0.0.7",
        )
    for proxy in proxies:
        try:
            ip_network(proxy)
        except ValueError as error:
            raise RequestError(f"{networks.origin}: {proxy!r} is not an address or network") from error
    if program.artifacts_only:
        raise RequestError("--auth needs a store, which --artifacts-only does not serve")
    return program._replace(
        users=True, default_permission=level.value.upper(), user_header=header.value, proxies=proxies
    )


def require_users(store: RunStore, program: Program, environ: Mapping[str, str] = os.environ) -> None:
    """Make the first administrator where the environment names one, as MLflow does; refuse a server without users."""
    from projrun.server.access import passwords

    users = part_of(store, Users)
    name, password = environ.get(ADMIN_NAME) or "admin", environ.get(ADMIN_PASSWORD)
    if password and users.find_user(name) is None:
        try:
            passwords.check_password(password)
        except InvalidValueError as error:
            raise RequestError(f"{ADMIN_PASSWORD}: {error.message}") from None
        users.create_user(name, passwords.hashed(password), is_admin=True)
    if not program.user_header and not users.list_users():
        raise RequestError(
            "the server has no users yet",
            hint=f"create one: projrun server users create NAME --admin, or set {ADMIN_PASSWORD}",
        )
