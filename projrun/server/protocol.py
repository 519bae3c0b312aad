"""uvicorn's HTTP/1.1 on httptools, which keeps a head of any size: here one that is too large ends its connection."""

from __future__ import annotations

from asyncio import BaseTransport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's first line and headers."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: BaseTransport) -> None:
        self._in_head, self._head = True, 0
        super().connection_made(transport)  # type: ignore[arg-type]  # always one of a socket

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)  # until it is complete, which may be in this piece
        super().data_received(data)
        if self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's headers are too large.")

    def on_headers_complete(self) -> None:
        self._in_head, self._head = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
