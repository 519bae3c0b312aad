"""One route of the REST API, as a record: its paths, its message, its handler, and what it needs of its caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.server.permissions import Needs
from projrun.server.stores import Stores
from projrun.server.wire import Message
from projrun.tracking.runs import RunStore
from projrun.tuples import NamedTuple

PROXIED = "projrun.proxied"
"""In a request's scope: the client asks the server for artifacts, as it cannot reach their folder."""
USER = "projrun.user"
"""In a request's scope: the name that the caller signed in with, for the access log; none with a token."""
IDENTITY = "projrun.identity"
"""In a request's scope: who signed in."""


class Identity(NamedTuple):
    """Who says to call, and what shows it: the hash that the password matched, or the digest of a token."""

    name: str = ""
    secret: str = ""
    token: str = ""
    session: str = ""
    """The name of the token, where it is a browser's session."""


class Caller(NamedTuple):
    """Who calls, for handlers that write it down."""

    identity: Identity | None = None
    user: str = ""
    """The name of the user who signed in; empty without users."""
    on_create: Callable[[str], None] = lambda run_id: None
    """To be called with the id of a run that was created."""


AnyMessage = TypeVar("AnyMessage", bound=Message)
Handler = Callable[[RunStore, AnyMessage], "msgspec.Struct | None"]
CallersHandler = Callable[[RunStore, AnyMessage, Caller], "msgspec.Struct | None"]
Streamer = Callable[[Request, Stores, AnyMessage], Awaitable[Response]]


class AsCaller(Generic[AnyMessage]):
    """A handler that is given the caller, too."""

    def __init__(self, handler: CallersHandler[AnyMessage]) -> None:
        self.handler = handler


class Route(NamedTuple):
    """A route. `handler` answers a message with a Struct, or `streamer`, where there is one, a request."""

    methods: tuple[str, ...]
    paths: tuple[str, ...]
    """All that it is served at; `{name}` stands for a part, `{name:path}` for all the rest."""
    message: type[Message]
    needs: Needs
    writes: bool
    handler: CallersHandler[Any] = lambda store, message, caller: None
    streamer: Streamer[Any] | None = None
    prepare: Callable[[RunStore, Any, Caller], Any] | None = None
    """Called before `handler`, which gets what it returns: what takes long keeps no other writer waiting."""


def served_paths(path: str, version: str = "2.0", service: str = "mlflow") -> tuple[str, ...]:
    """Where a route of a service is served: for clients, and for pages."""
    return (f"/api/{version}/{service}/{path}", f"/ajax-api/{version}/{service}/{path}")


def own_paths(path: str) -> tuple[str, ...]:
    """Where a route is served that is not MLflow's."""
    return (f"/api/projrun/1/{path}",)


def reading(
    method: str,
    path: str,
    message: type[AnyMessage],
    handler: Handler[AnyMessage] | AsCaller[AnyMessage],
    *,
    needs: Needs,
    version: str = "2.0",
    service: str = "mlflow",
) -> Route:
    """A route below `/api/VERSION/SERVICE/` whose handler only reads."""
    return Route((method,), served_paths(path, version, service), message, needs, False, _callers(handler))


def writing(
    method: str,
    path: str,
    message: type[AnyMessage],
    handler: Handler[AnyMessage] | AsCaller[AnyMessage],
    *,
    needs: Needs,
    version: str = "2.0",
    service: str = "mlflow",
) -> Route:
    """A route below `/api/VERSION/SERVICE/` whose handler may write."""
    return Route((method,), served_paths(path, version, service), message, needs, True, _callers(handler))


def streaming(
    method: str,
    paths: tuple[str, ...],
    message: type[AnyMessage],
    streamer: Streamer[AnyMessage],
    *,
    needs: Needs,
) -> Route:
    """A route whose streamer answers the request itself; the message is read from the query and the path."""
    return Route((method,), paths, message, needs, method not in ("GET", "HEAD"), streamer=streamer)


def _callers(handler: Handler[AnyMessage] | AsCaller[AnyMessage]) -> CallersHandler[AnyMessage]:
    if isinstance(handler, AsCaller):
        return handler.handler
    return lambda store, message, caller: handler(store, message)
