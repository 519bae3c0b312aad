"""An artifact as an answer: saved rather than shown, whole or a range of bytes (RFC 9110, 14)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import formatdate
from typing import NamedTuple

import anyio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from projrun.server.files.threads import in_thread
from projrun.tracking.artifacts.media import disposition_of, media_type_of
from projrun.tracking.artifacts.transfers import OpenArtifact

_PIECE = 1024 * 1024
_SAVED = "default-src 'none'; frame-ancestors 'none'; sandbox"
_FRAMED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; "
    "frame-ancestors 'self'; sandbox"
)
"""A page in a frame of ours: without scripts, without requests, and as if it came from another address."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Span(NamedTuple):
    """A range of bytes."""

    start: int
    end: int
    """The byte after the last."""


class ArtifactResponse(Response):
    """An open artifact, which is closed at the end. A browser that asks for it runs nothing that is in it."""

    def __init__(self, file: OpenArtifact, name: str, *, framed: bool = False) -> None:
        """`framed` is for an HTML page that a page of ours shows in a frame."""
        self.file = file
        self.name = name
        self.framed = framed and media_type_of(name).startswith("text/html")
        self.status_code = 200
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            span = wanted(Headers(scope=scope), self.file)
            await self._begin(send, span)
            if span is None or scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._send_pieces(send, span)
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(self.file.close)

    async def _begin(self, send: Send, span: Span | None) -> None:
        size = self.file.size
        headers = [
            ("content-type", media_type_of(self.name)),
            ("content-disposition", "inline" if self.framed else disposition_of(self.name)),
            ("content-length", str(span.end - span.start if span else 0)),
            ("accept-ranges", "bytes"),
            ("etag", _etag(self.file)),
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", _FRAMED if self.framed else _SAVED),
        ]
        if self.file.modified is not None:
            headers.append(("last-modified", formatdate(self.file.modified, usegmt=True)))
        status = 200
        if span is None:
            status = 416
            headers.append(("content-range", f"bytes */{size}"))
        elif span != Span(0, size):
            status = 206
            headers.append(("content-range", f"bytes {span.start}-{span.end - 1}/{size}"))
        await send({"type": "http.response.start", "status": status, "headers": list(_encoded(headers))})

    async def _send_pieces(self, send: Send, span: Span) -> None:
        start = span.start
        while start < span.end:
            piece = await in_thread(self.file.read, start, min(_PIECE, span.end - start))
            if not piece:
                raise OSError("the artifact became shorter while it was sent")
            start += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def wanted(headers: Headers, file: OpenArtifact) -> Span | None:
    """The range that a client asks for, the whole where it asks for several; None for one that is not there.

    Of an empty file there is only the whole: a browser that asks for a beginning, however long, has asked for no other.
    """
    whole = Span(0, file.size)
    asked = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    if asked is None or not file.size or headers.get("if-range", _etag(file)) != _etag(file):
        return whole
    first, last = asked.groups()
    if first:
        span = Span(int(first), min(int(last) + 1, file.size) if last else file.size)
        if last and int(last) < int(first):
            return whole
    elif last:
        span = Span(max(file.size - int(last), 0), file.size)
    else:
        return whole
    return span if span.start < span.end else None


def _etag(file: OpenArtifact) -> str:
    return f'"{file.version}"'


def _encoded(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[bytes, bytes]]:
    return ((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)
