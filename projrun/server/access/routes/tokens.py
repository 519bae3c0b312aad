"""A user's own tokens, for the page: listed, made and deleted. Not MLflow's routes."""

from __future__ import annotations

import time

import msgspec

from projrun.errors import InvalidValueError
from projrun.server import permissions, wire
from projrun.server.access import passwords
from projrun.server.access.sessions import is_session
from projrun.server.api import Caller, Route, own_paths
from projrun.server.errors import ForbiddenError
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.users import Token, Users

_DAY = 24 * 3600 * 1000
_LONGEST = 3650
"""Days."""


class _Made(wire.Message):
    name: str
    days: wire.Int64 | None = None


class _Named(wire.Message):
    name: str


class _Token(msgspec.Struct):
    name: str
    creation_time: int
    expiry_time: int | None
    session: bool
    current: bool


class _Listed(msgspec.Struct):
    tokens: list[_Token]


class _New(msgspec.Struct):
    token: str
    name: str
    expiry_time: int | None


def _list(store: RunStore, message: wire.Message, caller: Caller) -> _Listed:
    current = caller.identity.session if caller.identity else ""
    found = part_of(store, Users).list_tokens(caller.user)
    return _Listed([_shown(token, current) for token in found])


def _shown(token: Token, current: str) -> _Token:
    name, creation_time, expiry_time = token
    return _Token(name, creation_time, expiry_time, is_session(name), name == current)


def _make(store: RunStore, message: _Made, caller: Caller) -> _New:
    _refuse_tokens(caller)
    if is_session(message.name):
        raise InvalidValueError("a token's name must not begin with 'session '")
    if message.days is not None and not 1 <= message.days <= _LONGEST:
        raise InvalidValueError(f"a token lasts 1 to {_LONGEST} days, not {message.days}")
    expiry = None if message.days is None else int(time.time() * 1000) + message.days * _DAY
    token = passwords.new_token()
    made = part_of(store, Users).create_token(caller.user, message.name, passwords.digest(token), expiry)
    return _New(token, made.name, made.expiry_time)


def _delete(store: RunStore, message: _Named, caller: Caller) -> None:
    _refuse_tokens(caller)
    part_of(store, Users).delete_token(caller.user, message.name)


def _refuse_tokens(caller: Caller) -> None:
    """One that is found in a program must not outlive itself by another."""
    if caller.identity is not None and caller.identity.token and not caller.identity.session:
        raise ForbiddenError("a token cannot make or delete tokens: sign in with a password")


ROUTES: tuple[Route, ...] = (
    Route(("GET",), own_paths("tokens"), wire.Message, permissions.SIGNED_IN, False, _list),
    Route(("POST",), own_paths("tokens"), _Made, permissions.SIGNED_IN, True, _make),
    Route(("DELETE",), own_paths("tokens"), _Named, permissions.SIGNED_IN, True, _delete),
)
