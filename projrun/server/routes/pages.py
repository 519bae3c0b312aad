"""What MLflow's page asks beside the API of clients: GraphQL, and empty lists of what this server does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Scope

from projrun.errors import InvalidValueError, TrackingError
from projrun.server import permissions, wire
from projrun.server.api import Route, served_paths, streaming
from projrun.server.calls import check_content_type, read_body
from projrun.server.stores import Stores
from projrun.server.table import API
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.server.graphql.schema import Call


class _Query(msgspec.Struct):
    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = msgspec.field(name="operationName", default=None)


async def _graphql(request: Request, stores: Stores, message: wire.Message) -> Response:
    """Each root field is a request of its own to the routes, with the permission that they need."""
    from projrun.server.graphql.answering import answer
    from projrun.server.graphql.language import parse

    check_content_type(request.scope["headers"])
    asked = msgspec.json.decode(await read_body(request.receive), type=_Query)

    async def ask(call: Call, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        return await _asked(request.scope, call, fields)

    try:
        answered = await answer(parse(asked.query, asked.variables or {}, asked.operation_name or ""), ask)
    except InvalidValueError as error:
        answered = {"data": None, "errors": [error.message]}
    return Response(msgspec.json.encode(answered), media_type="application/json")


async def _asked(scope: Scope, call: Call, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer of a route. Raises InvalidValueError or TrackingError with the words of its error."""
    given = {name: value for name, value in fields.items() if value is not None}
    query = urlencode(given, doseq=True).encode() if call.method == "GET" else b""
    body = b"" if call.method == "GET" else msgspec.json.encode(given)
    inner = {
        **scope,
        "method": call.method,
        "path": f"/api/2.0/mlflow/{call.route}",
        "query_string": query,
        "path_params": {},
    }
    parts: list[bytes] = []
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        statuses.extend([message["status"]] if "status" in message else [])
        parts.append(message.get("body", b""))

    await scope[API](inner, receive, send)
    answered: dict[str, Any] = msgspec.json.decode(b"".join(parts))
    if statuses[0] == 200:
        return answered
    kind = TrackingError if statuses[0] >= 500 else InvalidValueError
    raise kind(str(answered.get("message", "")))


def _empty(method: str, path: str, body: Mapping[str, object], version: str = "3.0") -> Route:
    """What there is none of here, whatever is asked for."""
    encoded = msgspec.json.encode(body)

    async def respond(request: Request, stores: Stores, message: wire.Message) -> Response:
        return Response(encoded, media_type="application/json")

    route = streaming(method, served_paths(path, version), wire.Message, respond, needs=permissions.SIGNED_IN)
    return route._replace(writes=False)


ROUTES: tuple[Route, ...] = (
    # It reads, whatever its method.
    streaming("POST", ("/graphql",), wire.Message, _graphql, needs=permissions.SIGNED_IN)._replace(
        writes=False
    ),
    _empty("GET", "gateway/endpoints/list", {"endpoints": []}),
    _empty("GET", "gateway-proxy", {"endpoints": []}, "2.0"),
    _empty("GET", "gateway/secrets/list", {"secrets": []}),
    _empty("GET", "gateway/model-definitions/list", {"model_definitions": []}),
    _empty("GET", "scorers/list", {"scorers": []}),
    _empty("GET", "workspaces", {"workspaces": []}),
    _empty("POST", "datasets/search", {"datasets": []}),
    _empty("GET", "ui-telemetry", {"disable_ui_telemetry": True, "disable_ui_events": []}),
)
