"""The server's end of the socket to a worker: one frame out, one frame back."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

import msgspec

LENGTHS = struct.Struct("!IQ")
"""Bytes of a frame's head and of its body, which follow."""

_SMALL = 64 << 10


class WorkerLostError(Exception):
    """The worker has closed its end: it died."""


class Head(msgspec.Struct):
    """What a worker says beside the body of a frame."""

    status: int = 0
    type: str = "application/json"
    headers: dict[str, str] = {}
    version: str = ""
    """Of MLflow, once the model is loaded."""
    failed: str = ""
    """Why it could not be loaded."""


Frame = tuple[Head, bytes]
_decode = msgspec.json.Decoder(Head).decode


class Link(asyncio.Protocol):
    """A connection to one worker, with one question at a time."""

    def __init__(self, lost: Callable[[], None]) -> None:
        """`lost` is called once the worker has gone."""
        self._lost = lost
        self._came = bytearray()
        self._answer: asyncio.Future[Frame] | None = None
        self._transport: asyncio.Transport | None = None
        self.is_lost = False
        """Whether the worker has gone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # always one of a socket

    def receive(self) -> asyncio.Future[Frame]:
        """The worker's next frame. Raises WorkerLostError where it dies instead."""
        self._answer = asyncio.get_running_loop().create_future()
        if self.is_lost:
            self._answer.set_exception(WorkerLostError())
        else:
            self._take()
        return self._answer

    def ask(self, head: bytes, body: bytes) -> asyncio.Future[Frame]:
        """Send a request, and wait for its answer."""
        answer = self.receive()
        if self._transport and not answer.done():
            start = LENGTHS.pack(len(head), len(body)) + head
            if len(body) <= _SMALL:  # one piece wakes the worker once
                self._transport.write(start + body)
            else:
                self._transport.write(start)
                self._transport.write(body)
        return answer

    def close(self) -> None:
        """Let the worker end."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._came += data
        self._take()

    def _take(self) -> None:
        answer, came = self._answer, self._came
        if answer is None or answer.done() or len(came) < LENGTHS.size:
            return
        head_size, body_size = LENGTHS.unpack_from(came)
        end = LENGTHS.size + head_size + body_size
        if len(came) < end:
            return
        body_start = LENGTHS.size + head_size
        try:
            head = _decode(came[LENGTHS.size : body_start])
        except msgspec.DecodeError:  # the model's code has written into a descriptor that is not its own
            self.close()
            return
        self._came = came[end:]
        answer.set_result((head, bytes(came[body_start:end])))

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        if self._answer and not self._answer.done():
            self._answer.set_exception(WorkerLostError())
        self._lost()
