"""A wire to a server on loopback that counts what passes, and may be slow: the same for every protocol."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

from tests.sources.git_servers import serving

_CHUNK = 16 * 1024


class Wire(ThreadingTCPServer):
    """Passes connections on to a port of this machine, byte for byte."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, target_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target_port = target_port
        self.connections = 0
        self.uploaded = 0
        """Bytes from the clients."""
        self.downloaded = 0
        """Bytes to the clients."""
        self.bytes_per_second: float | None = None
        """How fast each connection's download is; None for as fast as it can be."""
        self._counting = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    @property
    def passed(self) -> int:
        """All bytes, in both directions."""
        return self.uploaded + self.downloaded

    def reset(self) -> None:
        """Count from zero again."""
        self.connections = self.uploaded = self.downloaded = 0

    def count_connection(self) -> None:
        """One more."""
        with self._counting:
            self.connections += 1

    def count_upload(self, amount: int) -> None:
        """Bytes that a client sent."""
        with self._counting:
            self.uploaded += amount

    def count_download(self, amount: int) -> None:
        """Bytes that a client gets, as fast as it may."""
        with self._counting:
            self.downloaded += amount
        if self.bytes_per_second:
            time.sleep(amount / self.bytes_per_second)


class _Passing(BaseRequestHandler):
    server: Wire
    request: socket.socket

    def handle(self) -> None:
        wire = self.server
        wire.count_connection()
        with socket.create_connection(("127.0.0.1", wire.target_port)) as target:
            upload = threading.Thread(target=_pass_on, args=(self.request, target, wire.count_upload))
            upload.start()
            _pass_on(target, self.request, wire.count_download)
            with suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)  # a client that went away ends the server's work, too
                self.request.shutdown(socket.SHUT_RDWR)
            upload.join()


def _pass_on(source: socket.socket, target: socket.socket, count: Callable[[int], None]) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            count(len(data))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def wire_to(target_port: int) -> Iterator[Wire]:
    """A wire that passes on inside the `with` block."""
    wire = Wire(target_port)
    with serving(wire):
        yield wire
