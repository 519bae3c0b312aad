"""What clients ask about the server itself: health, version, abilities."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projrun.server.stores import Stores

MLFLOW_VERSION = "3.17.2"
"""The MLflow whose REST API this is: clients read limits and abilities off a server's version."""

_INFO = msgspec.json.encode(
    {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
    }
)


def _fixed(path: str, body: bytes, media_type: str) -> Route:
    async def respond(request: Request) -> Response:
        return Response(body, media_type=media_type)

    return Route(path, respond, methods=["GET"])


def _health(stores: Stores) -> Route:
    return _fixed("/health", b"OK", "text/plain")


def _version(stores: Stores) -> Route:
    return _fixed("/version", MLFLOW_VERSION.encode(), "text/plain")


def _information(stores: Stores) -> Route:
    return _fixed("/api/3.0/mlflow/server-info", _INFO, "application/json")


ROUTES = (_health, _version, _information)
