"""Users: create, get, list, delete, passwords and administrators. As in MLflow's basic-auth app."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from projrun.errors import InvalidValueError
from projrun.server import permissions, wire
from projrun.server.access import passwords
from projrun.server.access.routes.answers import Role, roles
from projrun.server.api import AsCaller, Caller, Route, reading, writing
from projrun.server.permissions import Needs
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.users import User, Users


class Named(wire.Message):
    """A message about a user."""

    username: str


class _Create(Named):
    password: str = ""


class _Password(Named):
    password: str
    current_password: str = ""


class _Admin(Named, kw_only=True):
    is_admin: bool


_WithPassword = TypeVar("_WithPassword", _Create, _Password)


class _User(msgspec.Struct):
    id: int
    username: str
    is_admin: bool


class _UserWithRoles(_User):
    roles: list[Role]


class _Found(msgspec.Struct):
    user: _User


class _Current(_Found):
    is_basic_auth: bool = True


class _Listed(msgspec.Struct):
    users: list[_UserWithRoles]


OWN = Needs("ADMIN", own=lambda message, user: message.username == user)
"""For the user that a message names, and for administrators."""


def _shown(user: User) -> _User:
    return _User(user.id, user.name, user.is_admin)


def _hash_first(store: RunStore, message: _Create, caller: Caller) -> _Create:
    if not message.password:
        raise InvalidValueError("Username and password cannot be empty.")
    return _hashed(message)


def _create(store: RunStore, message: _Create) -> _Found:
    """The password is hashed by now."""
    return _Found(_shown(part_of(store, Users).create_user(message.username, message.password)))


def _get(store: RunStore, message: Named, caller: Caller) -> _Found:
    return _Found(_shown(part_of(store, Users).get_user(message.username)))


def _get_current(store: RunStore, message: wire.Message, caller: Caller) -> _Current:
    secret = caller.identity.secret if caller.identity else ""
    return _Current(_shown(part_of(store, Users).get_user(caller.user)), bool(secret))


def _list(store: RunStore, message: wire.Message, caller: Caller) -> _Listed:
    """All users; the roles of others are for administrators."""
    users = part_of(store, Users)
    all_roles = users.get_user(caller.user).is_admin
    return _Listed(
        [
            _UserWithRoles(
                user.id,
                user.name,
                user.is_admin,
                roles(users.list_user_roles(user.name)) if all_roles or user.name == caller.user else [],
            )
            for user in users.list_users()
        ]
    )


def _check_and_hash(store: RunStore, message: _Password, caller: Caller) -> _Password:
    user = part_of(store, Users).get_user(message.username)
    if caller.user == message.username:
        if not message.current_password:
            raise InvalidValueError("Current password is required when changing your own password.")
        if not passwords.matches(message.current_password, user.secret):
            raise InvalidValueError("Current password does not match.")
        if message.password == message.current_password:
            raise InvalidValueError("New password must differ from the current password.")
    return _hashed(message)


def _update_password(store: RunStore, message: _Password) -> None:
    """The password is hashed by now."""
    part_of(store, Users).update_user(message.username, secret=message.password)


def _hashed(message: _WithPassword) -> _WithPassword:
    passwords.check_password(message.password)
    return msgspec.structs.replace(message, password=passwords.hashed(message.password))


def _update_admin(store: RunStore, message: _Admin) -> None:
    part_of(store, Users).update_user(message.username, is_admin=message.is_admin)


def _delete(store: RunStore, message: Named, caller: Caller) -> None:
    if message.username == caller.user:
        raise InvalidValueError(
            "Users cannot delete their own account. Ask another admin to delete this user instead."
        )
    part_of(store, Users).delete_user(message.username)


ROUTES: tuple[Route, ...] = (
    writing("POST", "users/create", _Create, _create, needs=permissions.ADMIN)._replace(prepare=_hash_first),
    reading("GET", "users/get", Named, AsCaller(_get), needs=OWN),
    reading("GET", "users/current", wire.Message, AsCaller(_get_current), needs=permissions.SIGNED_IN),
    reading("GET", "users/list", wire.Message, AsCaller(_list), needs=permissions.SIGNED_IN),
    writing("PATCH", "users/update-password", _Password, _update_password, needs=OWN)._replace(
        prepare=_check_and_hash
    ),
    writing("PATCH", "users/update-admin", _Admin, _update_admin, needs=permissions.ADMIN),
    writing("DELETE", "users/delete", Named, AsCaller(_delete), needs=permissions.ADMIN),
)
