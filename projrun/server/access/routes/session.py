"""Who I am and what I may do, signing in from a page, and out. Not MLflow's routes."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.server import permissions, wire
from projrun.server.access import sessions
from projrun.server.access.checking import PasswordCheck, TooManyAttemptsError
from projrun.server.access.permitting import Permissions, signed_in
from projrun.server.api import IDENTITY, Identity, Route, own_paths, streaming
from projrun.server.calls import check_content_type, read_body
from projrun.server.errors import ForbiddenError, UnauthenticatedError, error_response
from projrun.server.stores import Stores
from projrun.server.wire import SessionAnswer, SessionUser
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.users import User, Users


class Setting(NamedTuple):
    """What a page hears of the server."""

    read_only: bool = False
    path: str = "/"
    """Where its paths begin: for the cookie."""


class _Asked(wire.Message):
    experiment_ids: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


class _Password(msgspec.Struct):
    username: str
    password: str


class Sessions:
    """The routes of a server with users."""

    def __init__(self, check: PasswordCheck, rules: Permissions, setting: Setting) -> None:
        self._check = check
        self._rules = rules
        self._setting = setting

    def routes(self) -> tuple[Route, ...]:
        """For the application."""
        paths = own_paths("session")
        return (
            streaming("GET", paths, _Asked, self._show, needs=permissions.PUBLIC),
            streaming("POST", paths, wire.Message, self._sign_in, needs=permissions.PUBLIC),
            streaming("DELETE", paths, wire.Message, self._sign_out, needs=permissions.PUBLIC),
        )

    async def _show(self, request: Request, stores: Stores, message: _Asked) -> Response:
        identity: Identity | None = request.scope.get(IDENTITY)

        def find(store: RunStore) -> SessionAnswer:
            try:
                user = signed_in(identity, store)
            except UnauthenticatedError:
                user = None
            return self._answer(user, _way(identity), message, store)

        return _json(await stores.read(find))

    def _answer(self, user: User | None, by: str, asked: _Asked, store: RunStore) -> SessionAnswer:
        answer = SessionAnswer(
            users=True, read_only=self._setting.read_only, default_permission=self._rules.default
        )
        if user is None:
            return answer
        answer.user, answer.signed_in_by = SessionUser(user.name, user.is_admin), by

        def level(kind: str, name: str) -> str:
            return "MANAGE" if user.is_admin else self._rules.permission(user, kind, name, store)

        answer.experiments = {name: level("experiment", name) for name in asked.experiment_ids}
        answer.models = {name: level("registered_model", name) for name in asked.models}
        return answer

    async def _sign_in(self, request: Request, stores: Stores, message: wire.Message) -> Response:
        headers = dict(request.scope["headers"])
        check_content_type(request.scope["headers"])
        if not sessions.is_own_page(request.scope, headers):
            raise ForbiddenError("only this server's own page signs in here")
        given = msgspec.json.decode(await read_body(request.receive), type=_Password)
        try:
            identity = await self._check.identity(request.scope, given.username, given.password)
        except TooManyAttemptsError as error:
            return error.response()
        if identity is None:
            return error_response(401, "UNAUTHENTICATED", "wrong user name or password")

        def begin(store: RunStore) -> tuple[SessionAnswer, sessions.Session]:
            users = part_of(store, Users)
            user = users.get_user(identity.name)
            return self._answer(user, "session", _Asked(), store), sessions.begin(users, user.name)

        found, session = await stores.write(begin)
        return self._with_cookie(_json(found), request, session)

    async def _sign_out(self, request: Request, stores: Stores, message: wire.Message) -> Response:
        identity: Identity | None = request.scope.get(IDENTITY)
        if identity is not None and identity.session:
            await stores.write(lambda store: _end(store, identity))
        return self._with_cookie(Response(b"{}", media_type="application/json"), request, None)

    def _with_cookie(
        self, response: Response, request: Request, session: sessions.Session | None
    ) -> Response:
        headers = dict(request.scope["headers"])
        response.headers["set-cookie"] = sessions.cookie(request.scope, headers, self._setting.path, session)
        return response


def _end(store: RunStore, identity: Identity) -> None:
    users = part_of(store, Users)
    user = users.find_token_user(identity.token)
    if user is not None:
        users.delete_token(user.name, identity.session)


def _way(identity: Identity | None) -> str:
    if identity is None:
        return ""
    if identity.session:
        return "session"
    if identity.token:
        return "token"
    return "password" if identity.secret else "proxy"


def _json(answer: SessionAnswer) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(answer), headers=headers, media_type="application/json")
