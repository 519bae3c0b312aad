"""The ASGI application: MLflow's scoring routes in front of a pool of workers."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from projrun.models.serving.answers import Answer, refusal
from projrun.models.serving.pool import Pool

_METHODS = {"/ping": "GET", "/health": "GET", "/version": "GET", "/invocations": "POST"}
_NOT_FOUND = Answer(404, b'{"detail":"Not Found"}')


class App:
    """Answers the requests of one model."""

    def __init__(self, pool: Pool, max_body: int) -> None:
        """`max_body` is in bytes; 0 is no limit."""
        self._pool = pool
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        if answer is not None:
            await _send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        """None where the client has gone."""
        path = scope["path"].rstrip("/")
        method = _METHODS.get(path)
        if method is None:
            return _NOT_FOUND
        if scope["method"] != method:
            return Answer(405, b'{"detail":"Method Not Allowed"}', headers={"allow": method})
        if path == "/invocations":
            return await self._invoke(scope, receive)
        if path == "/version":
            return Answer(200, self._pool.version.encode())
        return Answer(200 if self._pool.is_healthy else 503, b"\n")

    async def _invoke(self, scope: Scope, receive: Receive) -> Answer | None:
        content_type = size = ""
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"content-length":
                size = value.decode("latin-1")
        if self._max_body and size.isdecimal() and int(size) > self._max_body:
            return self._too_large()
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if self._max_body and len(body) > self._max_body:
                return self._too_large()
            if not message.get("more_body"):
                return await self._pool.answer(content_type, bytes(body))

    def _too_large(self) -> Answer:
        message = f"The request's body is larger than {self._max_body} bytes, the limit of this server."
        # The rest of the body is not read: the next request cannot be found behind it.
        return refusal(413, "INVALID_PARAMETER_VALUE", message, {"connection": "close"})


async def _send(answer: Answer, send: Send) -> None:
    media_type = answer.media_type
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    headers = {"content-type": media_type, "content-length": str(len(answer.body)), **answer.headers}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": answer.body})
