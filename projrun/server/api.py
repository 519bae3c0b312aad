"""One route of the REST API: a request's JSON or query becomes a Struct, a handler's answer becomes JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_origin

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projrun.errors import InvalidValueError
from projrun.server.errors import explain
from projrun.server.places import Places
from projrun.server.stores import Stores
from projrun.tracking.runs import RunStore

PROXIED = "projrun.proxied"
"""In a request's scope: the client asks the server for artifacts, as it cannot reach their folder."""

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a JSON request: MLflow's clients keep a batch below one megabyte, schemas of datasets are larger."""

Message = TypeVar("Message", bound=msgspec.Struct)
Handler = Callable[[RunStore, Message], "msgspec.Struct | None"]
RouteFactory = Callable[[Stores], Route]


def reading(method: str, path: str, message: type[Message], handler: Handler[Message]) -> RouteFactory:
    """A route whose handler only reads."""
    return lambda stores: _route(stores, stores.read, method, path, message, handler)


def writing(method: str, path: str, message: type[Message], handler: Handler[Message]) -> RouteFactory:
    """A route whose handler may write."""
    return lambda stores: _route(stores, stores.write, method, path, message, handler)


def _route(
    stores: Stores,
    run: Callable[[Callable[[RunStore], Any]], Any],
    method: str,
    path: str,
    message: type[Message],
    handler: Handler[Message],
) -> Route:
    async def respond(request: Request) -> Response:
        try:
            places = Places(None if request.scope.get(PROXIED) else await stores.folder())
            decoded = await _decode(request, message, places)
            answer = await run(lambda store: handler(store, decoded))
        except Exception as error:
            return explain(error)
        body = b"{}" if answer is None else msgspec.json.encode(answer, enc_hook=places.write)
        return Response(body, media_type="application/json")

    return Route(f"/api/2.0/mlflow/{path}", respond, methods=[method])


async def _decode(request: Request, message: type[Message], places: Places) -> Message:
    """The request as a Struct: from the query of a GET, else from the body; and from the path's variables."""
    if request.method in ("GET", "HEAD"):
        query = {**_query(request, message), **request.path_params}
        return msgspec.convert(query, message, strict=False, dec_hook=places.read)
    body = await read_body(request)
    if not request.path_params:
        return msgspec.json.decode(body or b"{}", type=message, strict=False, dec_hook=places.read)
    fields = msgspec.json.decode(body or b"{}", type=dict[str, Any])
    return msgspec.convert({**fields, **request.path_params}, message, strict=False, dec_hook=places.read)


async def read_body(request: Request) -> bytes:
    """The whole body. Raises InvalidValueError for one over MAX_BODY, without reading the rest."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise InvalidValueError(f"a request may have at most {MAX_BODY} bytes")
    return bytes(body)


def _query(request: Request, message: type[Message]) -> dict[str, object]:
    """The query's values; a field that is a list takes all of its name, others the last."""
    repeated = {
        field.name for field in msgspec.structs.fields(message) if get_origin(field.type) in (list, tuple)
    }
    query = request.query_params
    return {name: query.getlist(name) if name in repeated else query[name] for name in query}
