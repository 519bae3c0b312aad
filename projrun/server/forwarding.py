"""One run from a store of this machine, all else from the server behind: the endpoint of a run that is buffered.

What the run itself writes and reads never waits for the server. Every other request passes through as it is, streamed
both ways, with the credentials that projrun has for the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import anyio.from_thread
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projrun.server.api import PROXIED
from projrun.server.calls import read_body
from projrun.server.errors import explain
from projrun.tracking.upstream import Upstream

_API = "/api/2.0/mlflow/"
_SEARCH = f"{_API}runs/search"
_OF_THE_RUN = frozenset(
    {
        ("GET", "runs/get"), ("POST", "runs/update"), ("POST", "runs/log-metric"), ("POST", "runs/log-parameter"),
        ("POST", "runs/log-batch"), ("POST", "runs/set-tag"), ("POST", "runs/delete-tag"),
        ("POST", "runs/log-inputs"), ("POST", "runs/log-model"), ("GET", "metrics/get-history"),
    }
)  # fmt: skip
"""What is answered here where it is about the run."""
_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""RFC 9110, 7.6.1: they are about one connection."""
_NOT_SENT = _HOP_BY_HOP | {"host", "authorization", "content-length", "cookie"}
_SAFE = "/!$&'()*+,;=:@~"


class StreamedBody:
    """A request's body on its way, whose length is known."""

    def __init__(self, length: int, pieces: Iterable[bytes]) -> None:
        self._length = length
        self._pieces = pieces

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


class _OfRun(msgspec.Struct, frozen=True):
    run_id: str = ""
    run_uuid: str = ""
    runId: str = ""
    runUuid: str = ""
    models: list[Any] = []

    @property
    def ids(self) -> tuple[str, ...]:
        """The run's id, wherever it stands."""
        return (self.run_id, self.run_uuid, self.runId, self.runUuid)


class Buffered:
    """An ASGI application around that of the run-scoped store."""

    def __init__(self, local: ASGIApp, upstream: Upstream, run_id: str) -> None:
        self._local = local
        self._upstream = upstream
        self._run_id = run_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The run's files are the server's, too: no folder of this machine stands for them.
        scope = {**scope, PROXIED: True}
        request = Request(scope, receive)
        try:
            response = await self._respond(request, scope)
        except Exception as error:
            response = explain(error)
        if response is None:
            await self._local(scope, _replayed(await request.body()), send)
        else:
            await response(scope, receive, send)

    async def _respond(self, request: Request, scope: Scope) -> Response | None:
        """The answer of the server behind; None where the run-scoped store answers."""
        path: str = scope["path"]
        route = (request.method, path.removeprefix(_API))
        if path != _SEARCH and route not in _OF_THE_RUN:
            return await self._passed_on(request, _streamed(request))
        request._body = await read_body(request.receive)
        if path == _SEARCH:
            return await self._search(request, scope)
        if self._is_about_the_run(request, request._body):
            return None
        return await self._passed_on(request, request._body)

    def _is_about_the_run(self, request: Request, body: bytes) -> bool:
        query = request.query_params
        if request.method == "GET":
            return self._run_id in (query.get("run_id"), query.get("run_uuid"))
        try:
            message = msgspec.json.decode(body, type=_OfRun)
        except msgspec.MsgspecError:
            return False
        # Logged models are the server's, so it is the server that knows them.
        return self._run_id in message.ids and not message.models

    async def _search(self, request: Request, scope: Scope) -> Response:
        """The server's answer, in which the run is as it is here."""
        body = await request.body()
        mine = (await _answer_of(self._local, scope, body)).get("runs", [])
        response = await self._passed_on(request, body)
        if response.status_code != 200 or not isinstance(response, StreamingResponse):
            return response
        content = b"".join([bytes(piece) async for piece in response.body_iterator])  # type: ignore[arg-type]
        answer = msgspec.json.decode(content)
        theirs = answer.get("runs", [])
        places = [place for place, run in enumerate(theirs) if self._is_mine(run)]
        others = [run for run in theirs if not self._is_mine(run)]
        first_page = not msgspec.json.decode(body or b"{}").get("page_token")
        if mine and (places or first_page):
            at = places[0] if places else 0
            others[at:at] = mine
        return Response(msgspec.json.encode({**answer, "runs": others}), media_type="application/json")

    def _is_mine(self, run: Mapping[str, Any]) -> bool:
        return bool(run.get("info", {}).get("run_id") == self._run_id)

    async def _passed_on(self, request: Request, body: bytes | Iterable[bytes]) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_SENT}
        # Not `request.url`: a `#` in the path would end it there.
        path = quote(request.scope["path"].removeprefix("/"), safe=_SAFE)
        if query := request.scope["query_string"].decode("latin-1"):
            path = f"{path}?{query}"
        answer = await anyio.to_thread.run_sync(self._upstream.send, request.method, path, headers, body)
        response = StreamingResponse(answer.pieces, answer.status)
        response.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.headers
            if name.lower() not in _HOP_BY_HOP
        ]
        return response


def _streamed(request: Request) -> bytes | Iterable[bytes]:
    length = request.headers.get("content-length")
    if length is not None and length.isdigit() and int(length):
        return StreamedBody(int(length), _chunks(request))
    return _chunks(request) if "transfer-encoding" in request.headers else b""


def _chunks(request: Request) -> Iterator[bytes]:
    """The body, for a thread: each part is fetched on the event loop."""
    stream = request.stream()

    async def following() -> bytes | None:
        return await anext(stream, None)

    while (part := anyio.from_thread.run(following)) is not None:
        if part:
            yield part


def _replayed(body: bytes) -> Receive:
    """A body that was read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _answer_of(application: ASGIApp, scope: Scope, body: bytes) -> dict[str, Any]:
    """The JSON that the application answers; nothing of an error's."""
    parts: list[bytes] = []
    statuses: list[int] = []

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 200))
        parts.append(message.get("body", b""))

    await application(scope, _replayed(body), send)
    content = msgspec.json.decode(b"".join(parts) or b"{}")
    return content if statuses[:1] == [200] and isinstance(content, dict) else {}
