"""What clients ask about the server itself: health, version, abilities."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.server import permissions, wire
from projrun.server.api import Route, served_paths, streaming
from projrun.server.stores import Stores
from projrun.tracking.artifacts.signatures import SIGNED_SCHEMES
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.runs import RunStore

MLFLOW_VERSION = "3.17.2"
"""The MLflow whose REST API this is: clients read limits and abilities off a server's version."""


def _fixed(paths: tuple[str, ...], body: bytes, media_type: str) -> Route:
    async def respond(request: Request, stores: Stores, message: wire.Message) -> Response:
        return Response(body, media_type=media_type)

    return streaming("GET", paths, wire.Message, respond, needs=permissions.PUBLIC)


class _Info(msgspec.Struct):
    """As MLflow 3.17 says it, whose client looks here before it sends a large file."""

    store_type: str = "SqlStore"
    workspaces_enabled: bool = False
    trace_archival_enabled: bool = False
    multipart_uploads_enabled: bool = False
    multipart_downloads_enabled: bool = False
    presigned_upload_run_id_supported: bool = True
    presigned_upload_model_id_supported: bool = True
    features_enabled: dict[str, bool] = msgspec.field(default_factory=lambda: {"gateway": False})


async def _information(request: Request, stores: Stores, message: wire.Message) -> Response:
    signs = stores.files.serves and await stores.read(_signs)
    counted = stores.files.upload_limit is not None  # S3 would take parts of any size
    info = _Info(multipart_uploads_enabled=signs and not counted, multipart_downloads_enabled=signs)
    return Response(msgspec.json.encode(info), media_type="application/json")


def _signs(store: RunStore) -> bool:
    """Whether clients can send files past the server: by the name alone, since MLflow's client waits for 3 seconds."""
    return uri_scheme(getattr(store, "destination", "")) in SIGNED_SCHEMES


ROUTES = (
    _fixed(("/health",), b"OK", "text/plain"),
    _fixed(("/version",), MLFLOW_VERSION.encode(), "text/plain"),
    streaming(
        "GET", served_paths("server-info", "3.0"), wire.Message, _information, needs=permissions.PUBLIC
    ),
)
