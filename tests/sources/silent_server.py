"""A server that takes connections and never answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


class SilentServer:
    """It listens on loopback."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/r.git"

    def accept(self) -> socket.socket:
        """The next connection, which has asked for something."""
        connection, _ = self._listening.accept()
        connection.settimeout(20)
        assert connection.recv(4)
        return connection

    def is_closed(self, connection: socket.socket) -> bool:
        """Whether the other side has ended; waits for no more than half a second."""
        connection.settimeout(0.5)
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    """One that ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        yield SilentServer(listening)
