"""A proxy in front of a real server that fails as networks and servers do, from one moment to the next."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.support.ports import free_port

CANNED = {
    "500": b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops",
    "429": b"HTTP/1.1 429 Busy\r\nRetry-After: 2\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy",
}
FAULTS = ("frozen", "trickling", "cut", "500", "429", "down", "restarted")
"""No byte either way; a byte of an answer now and then; requests arrive and their answers do not; and so on."""
_DOWN = ("down", "restarted")

_STEP = 0.02
_BETWEEN_BYTES = 0.5


class FaultyServer:
    """Passes everything on as long as `fault` is empty; a fault holds for open connections too."""

    def __init__(self, upstream: str) -> None:
        """`upstream` is the real server's address, with a path that this one has too."""
        address = urlsplit(upstream)
        self._server = (address.hostname or "", address.port or 80)
        self._closed = threading.Event()
        self._listening = threading.Event()
        self._listening.set()
        self.fault = ""
        self.only = ""
        """What a request must hold for a fault of requests or answers to apply to it."""
        port = free_port()  # nobody takes it while the server is down
        self._listener = socket.create_server(("127.0.0.1", port))
        self.uri = f"http://127.0.0.1:{port}{address.path}"
        threading.Thread(target=self._accept, args=[port], daemon=True).start()

    def close(self) -> None:
        """End it, with all its connections."""
        self._closed.set()

    def recover(self) -> None:
        """Be well again: at once, as a client sees it."""
        self.fault = ""
        assert self._listening.wait(60), "the server did not come back"

    def _accept(self, port: int) -> None:
        while not self._closed.is_set():
            if self.fault in _DOWN:
                self._listening.clear()
                self._listener.close()
                self._stay_down()
                self._listener = socket.create_server(("127.0.0.1", port))
                self._listening.set()
            if select.select([self._listener], [], [], _STEP)[0]:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=[client], daemon=True).start()
        self._listener.close()

    def _stay_down(self) -> None:
        if self.fault == "restarted":
            self._closed.wait(1.0)
            self.fault = ""
        self._wait("down")

    def _wait(self, fault: str) -> None:
        while self.fault == fault and not self._closed.is_set():
            time.sleep(_STEP)

    def _pass_on(self, client: socket.socket) -> None:
        hit = False
        with contextlib.suppress(OSError), client, socket.create_connection(self._server) as server:
            while not self._closed.is_set() and self.fault not in _DOWN:
                self._wait("frozen")
                ready = select.select([client, server], [], [], _STEP)[0]
                if client in ready:
                    data = client.recv(65536)
                    if b" HTTP/1.1\r\n" in data:  # a request's head; its body may come later
                        hit = self.only.encode() in data
                    if not data or not self._request(client, server, data, self.fault if hit else ""):
                        return
                if server in ready and not self._answer(client, server, hit=hit):
                    return

    def _request(self, client: socket.socket, server: socket.socket, data: bytes, fault: str) -> bool:
        if fault in CANNED:
            client.sendall(CANNED[fault])
            return False
        server.sendall(data)
        return True

    def _answer(self, client: socket.socket, server: socket.socket, *, hit: bool) -> bool:
        data = server.recv(65536)
        if not data or (hit and self.fault == "cut"):
            return False
        for place in range(len(data)):
            if not hit or self.fault != "trickling":
                client.sendall(data[place:])
                break
            client.sendall(data[place : place + 1])
            time.sleep(_BETWEEN_BYTES)
        return True


@contextlib.contextmanager
def faulty(upstream: str) -> Iterator[FaultyServer]:
    """A proxy for the time of a block."""
    server = FaultyServer(upstream)
    try:
        yield server
    finally:
        server.close()
