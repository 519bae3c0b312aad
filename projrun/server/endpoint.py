"""The REST API on a loopback port for the life of a run, so that a script's `mlflow` client works unchanged.

The socket listens at once; the server's modules are imported, in a thread, when a client first connects.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
from pathlib import Path
from types import TracebackType

GRACE = 5.0
"""Seconds that requests under way have to finish when the endpoint closes."""


class Endpoint:
    """A context manager: open on entry, closed on exit.

    The secret that keeps the machine's other users out is a part of the path. A token in the environment would
    be dropped by the client wherever a password or a netrc exists, and would overwrite one meant for elsewhere.
    """

    def __init__(self, database: Path, listener: socket.socket) -> None:
        self.secret = os.urandom(16).hex()
        self.uri = f"http://127.0.0.1:{listener.getsockname()[1]}/{self.secret}"
        self._database = database
        self._listener = listener
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._wait_and_serve, name="projrun-endpoint", daemon=True)

    @classmethod
    def open(cls, database: Path) -> Endpoint:
        """Listen on a free port of 127.0.0.1 for clients of the store in the file `database`."""
        # asyncio turns Nagle's delay off (44 ms a request) only where the protocol is named.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            endpoint = cls(database, listener)
        except BaseException:
            listener.close()
            raise
        endpoint._thread.start()
        return endpoint

    def close(self) -> None:
        """Finish what is under way, for at most GRACE seconds; at once where no client ever connected."""
        self._stop.close()
        self._thread.join(GRACE + 2)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wait_and_serve(self) -> None:
        # Whatever goes wrong, the port is closed: a client is refused instead of waiting for ever.
        with self._listener, self._stopped:
            if self._client_came():
                from projrun.server.serving import serve

                serve(self._listener, self._stopped, self._database, self.secret, GRACE)

    def _client_came(self) -> bool:
        """Wait for the first connection: true; or for the end: false."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._stopped, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select()}
        return self._stopped not in ready
