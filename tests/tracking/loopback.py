"""A web server on loopback that answers what a test tells it to, well-formed or not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Received(NamedTuple):
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    port: int = 0
    """The client's: the same for requests over one connection."""


class Answer(NamedTuple):
    """A well-formed answer."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = {"Content-Type": "application/json"}


Respond = Callable[[Received], "Answer | bytes"]
"""Bytes are written to the connection as they are, which is closed then."""


class Loopback:
    """A running server, and what it received."""

    def __init__(self, respond: Respond) -> None:
        self.received: list[Received] = []
        self.respond = respond
        self.scheme = "http"
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def uri(self) -> str:
        """The base URL."""
        return f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"

    def with_user(self, user: str) -> str:
        """The base URL with `user:password` in it."""
        return self.uri.replace("://", f"://{user}@")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = _body(self)
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.command, self.path, headers, body, self.client_address[1])
                loopback.received.append(received)
                _write(self, loopback.respond(received))

            do_POST = do_PUT = do_PATCH = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output clean."""

        return Handler


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding") == "chunked":
        return b"<chunked>"
    return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))


def _write(handler: BaseHTTPRequestHandler, answer: Answer | bytes) -> None:
    if isinstance(answer, bytes):
        handler.close_connection = True
        handler.wfile.write(answer)
        return
    handler.send_response(answer.status)
    for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    with contextlib.suppress(ConnectionError):
        handler.wfile.write(answer.body)


@contextlib.contextmanager
def serve(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    """A server for the time of a block."""
    loopback = Loopback(respond)
    if tls:
        loopback.scheme = "https"
        loopback.server.socket = tls.wrap_socket(loopback.server.socket, server_side=True)
        loopback.server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=loopback.server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield loopback
    finally:
        loopback.server.shutdown()
        thread.join()
        loopback.server.server_close()


def always(answer: Answer | bytes) -> Respond:
    """The same answer to everything."""
    return lambda _: answer


@contextlib.contextmanager
def closed_port() -> Iterator[str]:
    """The address of a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextlib.contextmanager
def silent(*, accepting: bool) -> Iterator[str]:
    """The address of a port that takes connections and says nothing, or takes no more connections."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(16 if accepting else 0)
        if not accepting:
            for _ in range(8):  # fill the backlog
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
