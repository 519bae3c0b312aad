"""A proxy before a real server that cuts requests off: before they reach it, or before its answer is out."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a server, but for those that a test has cut off."""

    daemon_threads = True

    def __init__(self, server: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target = urlsplit(server).netloc
        self.faults: Iterator[str] = iter(())
        """For each request to come: `before`, `after`, or empty."""
        self.away = False
        """Whether every request is cut off."""
        self.requests = 0

    @property
    def uri(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was cut off is no error."""


class _Passing(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests += 1
        fault = "before" if self.server.away else next(self.server.faults, "")
        if fault == "before":
            self._cut_off()
            return
        connection = http.client.HTTPConnection(self.server.target, timeout=60)
        with contextlib.closing(connection):
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
        if fault == "after":
            self._cut_off()
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "server", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _cut_off(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@contextlib.contextmanager
def proxy_to(server: str) -> Iterator[Proxy]:
    """A proxy for the time of a block."""
    proxy = Proxy(server)
    thread = threading.Thread(target=proxy.serve_forever, args=[0.02])
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
