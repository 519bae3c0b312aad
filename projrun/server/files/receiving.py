"""A request's body into a new artifact. Between two pieces no thread waits for the client."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from starlette.requests import Request

from projrun.errors import InvalidValueError
from projrun.server.errors import TooLargeError
from projrun.server.files.threads import in_thread
from projrun.tracking.artifacts.transfers import NewArtifact

_PIECE = 256 * 1024
"""Bytes that are collected before they are written."""

Create = Callable[[int | None], NewArtifact]
"""Makes the artifact, whose size may be known already."""


async def receive(request: Request, create: Create, limit: int | None = None, *, empty: bool = True) -> None:
    """Write the body, which may be `empty`. What breaks off, fails or exceeds `limit` leaves nothing."""
    size = declared_size(request)
    check_size(size or 0, limit)
    new: NewArtifact | None = None
    try:
        new = await in_thread(create, size)
        received, rest = await _write(request, new, limit)
        if not received and not empty:
            raise InvalidValueError("Request must specify data.")
        await in_thread(_end, new, rest)
    except BaseException:
        if new is not None:
            with anyio.CancelScope(shield=True):
                await in_thread(new.discard)
        raise


async def _write(request: Request, new: NewArtifact, limit: int | None) -> tuple[int, bytes]:
    """Write all but a last piece; the size, and that piece."""
    received, collected = 0, bytearray()
    async for piece in request.stream():
        received += len(piece)
        check_size(received, limit)
        collected += piece
        if len(collected) >= _PIECE:
            await in_thread(new.write, bytes(collected))
            collected.clear()
    return received, bytes(collected)


def _end(new: NewArtifact, rest: bytes) -> None:
    new.write(rest)
    new.finish()


def declared_size(request: Request) -> int | None:
    """What the client says about the body's size."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() else None


def check_size(size: int, limit: int | None) -> None:
    """Raises TooLargeError."""
    if limit is not None and size > limit:
        raise TooLargeError(f"a file may have at most {limit} bytes")
