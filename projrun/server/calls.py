"""What answers a route: the request becomes a message, the handler's answer JSON. The hot path of the server."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from projrun.errors import InvalidValueError
from projrun.server.api import IDENTITY, PROXIED, Caller, Route, Streamer
from projrun.server.decoding import decode, fields_of, lists_of, read_fields
from projrun.server.errors import UnauthenticatedError, explain
from projrun.server.places import Places
from projrun.server.stores import Stores
from projrun.server.wire import Message
from projrun.tracking.runs import RunStore

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a JSON request: MLflow's clients keep a batch below one megabyte, schemas of datasets are larger."""

_CONTENT_TYPE = b"content-type"
_JSON = (_CONTENT_TYPE, b"application/json")
_FOR_ALL = Places(None)
_QUICK = (
    "/get",
    "/runs/create",
    "/runs/log-metric",
    "/runs/log-parameter",
    "/runs/log-batch",
    "/runs/set-tag",
)
"""Ends of the paths of routes that read or write little, or whose messages say so."""
_LEFT = "the client left before its request was whole"


class Access(Protocol):
    """Who may call what. Its methods are called where the store is, before and after the handler."""

    def check(self, route: Route, caller: Caller, store: RunStore, message: Message) -> Caller:
        """The caller by name. Raises UnauthenticatedError, and ForbiddenError where the user may not."""
        ...

    def answer(self, route: Route, caller: Caller, store: RunStore, message: Any) -> msgspec.Struct | None:
        """As the route's handler; lists are filtered, and what is made is the caller's to manage."""
        ...


def application(route: Route, stores: Stores, access: Access | None = None) -> ASGIApp:
    """What answers a route."""
    if route.streamer is not None:
        return _streamed(route, route.streamer, stores, access)
    run, quick = stores.write if route.writes else stores.read, route.paths[0].endswith(_QUICK)
    handler, needs_text = route.handler, frozenset(route.methods) <= {"POST", "PUT"}

    def answered(store: RunStore, message: Message, caller: Caller) -> msgspec.Struct | None:
        if access is None:
            return handler(store, message, caller)
        return access.answer(route, access.check(route, caller, store, message), store, message)

    def prepared(store: RunStore, message: Message, caller: Caller) -> Message:
        assert route.prepare is not None  # noqa: S101 - called where there is one
        checked = caller if access is None else access.check(route, caller, store, message)
        return cast(Message, route.prepare(store, message, checked))

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if access is not None:
                _require_identity(route, scope)
            places = _FOR_ALL if scope.get(PROXIED) else Places(await stores.folder())
            if needs_text:
                check_content_type(scope["headers"])
            message = await _message(scope, receive, route.message, places)
            caller = Caller(scope.get(IDENTITY), "", stores.on_create)
            if route.prepare is not None:
                message = await stores.read(partial(prepared, message=message, caller=caller))
            answer = await run(lambda store: answered(store, message, caller), quick=quick and message.little)
            body = b"{}" if answer is None else msgspec.json.encode(answer, enc_hook=places.write)
        except Exception as error:
            await explain(error)(scope, receive, send)
            return
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": 200, "headers": [_JSON, length]})
        await send({"type": "http.response.body", "body": body})

    return respond


def _streamed(route: Route, streamer: Streamer[Any], stores: Stores, access: Access | None) -> ASGIApp:
    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if access is not None:
                _require_identity(route, scope)
            fields = {**_query(scope, route.message), **scope.get("path_params", {})}
            message = read_fields(fields, route.message, _FOR_ALL.read)
            if access is not None and route.needs.level != "PUBLIC":
                caller = Caller(scope.get(IDENTITY))
                await stores.read(lambda store: access.check(route, caller, store, message))
            response = await streamer(Request(scope, receive), stores, message)
        except Exception as error:
            response = explain(error)
        await response(scope, receive, send)

    return respond


def _require_identity(route: Route, scope: Scope) -> None:
    """Before the body is read: who is not signed in is not listened to."""
    if route.needs.level != "PUBLIC" and scope.get(IDENTITY) is None:
        raise UnauthenticatedError


async def _message(scope: Scope, receive: Receive, message: type[Message], places: Places) -> Message:
    """From the query of a GET, else from the body, as with MLflow; and from the path's variables."""
    if scope["query_string"] and scope["method"] in ("GET", "HEAD"):
        fields = _query(scope, message)
    else:
        body = await read_body(receive)
        if not scope.get("path_params"):
            return decode(body, message, places.read)
        fields = fields_of(body)
    return read_fields({**fields, **scope.get("path_params", {})}, message, places.read)


def check_content_type(headers: list[tuple[bytes, bytes]]) -> None:
    """JSON says that it is JSON: other sites' pages cannot send that without being asked first."""
    for name, value in headers:
        if name == _CONTENT_TYPE:
            if value.partition(b";")[0] == b"application/json":
                return
            raise InvalidValueError("Bad Request. Content-Type must be one of ['application/json'].")
    raise InvalidValueError("Bad Request. Content-Type header is missing.")


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises InvalidValueError for one over MAX_BODY, without reading the rest, and for half a one."""
    part = await receive()
    if part["type"] == "http.disconnect":
        raise InvalidValueError(_LEFT)
    body: bytes = part.get("body", b"")
    if part.get("more_body"):
        body = await _joined(bytearray(body), receive)
    if len(body) > MAX_BODY:
        raise InvalidValueError(f"a request may have at most {MAX_BODY} bytes")
    return body


async def _joined(body: bytearray, receive: Receive) -> bytes:
    more = True
    while more and len(body) <= MAX_BODY:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise InvalidValueError(_LEFT)
        body += part.get("body", b"")
        more = part.get("more_body", False)
    return bytes(body)


def _query(scope: Scope, message: type[Message]) -> Mapping[str, object]:
    """The query's values; a field that is a list takes all of its name, others the first."""
    repeated = lists_of(message)
    query: dict[str, Any] = {}
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name in repeated:
            query.setdefault(name, []).append(value)
        else:
            query.setdefault(name, value)
    return query
