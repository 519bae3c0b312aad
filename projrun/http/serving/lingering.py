"""Answers to requests whose bodies are not read to their ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import Message, Receive, Send

_PAUSE = 2.0
"""Seconds in which more of the body comes."""
_LONGEST = 30.0
"""Seconds for which a body is dropped."""


async def send_early(start: Mapping[str, Any], body: bytes, receive: Receive, send: Send) -> None:
    """Send an answer that ends the connection, and drop what is still on its way before it is closed.

    Many clients look for an answer once they have sent everything, and a socket that is closed with something
    unread is reset: they would find a broken pipe instead (RFC 9112, section 9.6).
    """
    await send({**start, "type": "http.response.start"})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _drop(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drop(receive: Receive) -> None:
    deadline = time.monotonic() + _LONGEST
    message: Message = {"more_body": True}
    while message.get("more_body") and time.monotonic() < deadline:
        try:
            message = await asyncio.wait_for(receive(), _PAUSE)
        except asyncio.TimeoutError:
            return
