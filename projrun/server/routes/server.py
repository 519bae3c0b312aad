"""What clients ask about the server itself: health, version, abilities."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.server import permissions, wire
from projrun.server.api import Route, served_paths, streaming
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


def _fixed(paths: tuple[str, ...], body: bytes, media_type: str) -> Route:
    async def respond(request: Request, stores: Stores, message: wire.Message) -> Response:
        return Response(body, media_type=media_type)

    return streaming("GET", paths, wire.Message, respond, needs=permissions.PUBLIC)


ROUTES = (
    _fixed(("/health",), b"OK", "text/plain"),
    _fixed(("/version",), MLFLOW_VERSION.encode(), "text/plain"),
    _fixed(served_paths("server-info", "3.0"), _INFO, "application/json"),
)
