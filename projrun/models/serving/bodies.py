"""The bodies of requests, bounded: each one, and all that the server holds."""

from __future__ import annotations

from starlette.types import Receive, Scope

from projrun.models.serving.answers import Answer, refusal, unavailable

_CLOSE = {"connection": "close"}
"""The rest of the body is not read: the next request cannot be found behind it."""
_SMALL = 64 << 10
"""Bytes that a body may always have: one slow upload near the limit would have all others refused. It is not the small
ones that fill the memory: a connection costs as much before a request has come."""


class Bodies:
    """Reads bodies, and counts the bytes of those that are being read or wait for their answers."""

    def __init__(self, max_body: int, max_queue: int) -> None:
        """In bytes: of one body (0 for as much as of all), and of all."""
        self._max_body = min(max_body or max_queue, max_queue)
        self._max_queue = max_queue
        self._small = min(_SMALL, max_queue // 16)
        self._held = 0

    def release(self, size: int) -> None:
        """A body of so many bytes has its answer."""
        self._held -= size

    async def read(self, scope: Scope, receive: Receive) -> bytes | Answer | None:
        """A body, which is held until it is released; a refusal; or None where the client has gone."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if declared.isdigit() and (refused := self._refused(0, int(declared))):
            return refused
        body = bytearray()
        is_kept = False
        try:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                piece = message.get("body", b"")
                if refused := self._refused(len(body), len(piece)):
                    return refused
                body += piece
                self._held += len(piece)
                if not message.get("more_body"):
                    is_kept = True
                    return bytes(body)
        finally:
            if not is_kept:
                self._held -= len(body)

    def _refused(self, got: int, more: int) -> Answer | None:
        if got + more > self._max_body:
            message = f"The request's body is larger than {self._max_body} bytes, the limit of this server."
            return refusal(413, "INVALID_PARAMETER_VALUE", message, _CLOSE)
        if self._held + more > self._max_queue and got + more > self._small:
            answer = unavailable(f"Requests of {self._held} bytes wait for their answers already.")
            return answer._replace(headers={**answer.headers, **_CLOSE})
        return None
