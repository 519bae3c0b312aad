"""What a page asks first of a server without users: `GET session` then says what it may do."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.server.api import Route, own_paths, streaming
from projrun.server.permissions import PUBLIC
from projrun.server.stores import Stores
from projrun.server.wire import Message, SessionAnswer


def session_route(*, read_only: bool) -> Route:
    """Everyone may do what the server does."""
    body = msgspec.json.encode(SessionAnswer(users=False, read_only=read_only, default_permission="MANAGE"))

    async def show(request: Request, stores: Stores, message: Message) -> Response:
        headers = {"cache-control": "no-store"}
        return Response(body, headers=headers, media_type="application/json")

    return streaming("GET", own_paths("session"), Message, show, needs=PUBLIC)
