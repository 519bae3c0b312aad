"""uvicorn's HTTP/1.1 on httptools, which waits for ever for a request of any size: here it ends the connection.

A head that is too large is refused, and a request that does not come on: its client may hold neither memory nor a
connection by sending nothing, or a byte now and then.
"""

from __future__ import annotations

import asyncio
from asyncio import BaseTransport
from collections.abc import Collection

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's first line and headers."""
WINDOW = 60.0
"""Seconds in which a request is complete, or brings `PACE` bytes for each of them."""
PACE = 1024
_LOOKS = 4
"""At a connection in a window. They are counted, not timed: a process that is stopped finds no request late."""
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: BaseTransport) -> None:
        self._in_head, self._head = True, 0
        self._expects, self._looks, self._came = True, 0, 0
        super().connection_made(transport)  # type: ignore[arg-type]  # always one of a socket

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)  # until it is complete, which may be in this piece
        super().data_received(data)
        self._came += len(data)
        if self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's headers are too large.")

    def on_message_begin(self) -> None:
        self._expects, self._looks, self._came = True, 0, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._head = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._expects = False  # between two requests a client may wait for as long as it wants

    def look(self) -> None:
        """End the connection where the client has sent too little of its request for a whole window."""
        if not self._expects:
            return
        self._looks += 1
        if self._looks <= _LOOKS:
            return
        begun = self.cycle is not None and self.cycle.response_started
        answering = begun and not self.cycle.response_complete
        if self._came >= WINDOW * PACE or self.flow.read_paused or answering:
            self._looks, self._came = 0, 0
        elif not self.transport.is_closing():
            if self._came and (self._in_head or not begun):
                self.transport.write(_TIMEOUT)
            self.transport.close()


async def end_slow_requests(connections: Collection[object]) -> None:
    """Look at the connections until cancelled."""
    while True:
        await asyncio.sleep(WINDOW / _LOOKS)
        for connection in list(connections):
            if isinstance(connection, BoundedProtocol):
                connection.look()
