"""The REST API on a loopback port for the life of a run, so that a script's `mlflow` client works unchanged.

The socket listens at once; the server's modules are imported, in a thread, when a client first connects.
"""

from __future__ import annotations

import _socket  # `socket` without its enumerations of constants, which take 2 ms of every start
import os
import selectors
import threading
from collections.abc import Iterable, Sequence
from types import TracebackType

from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.server.app import Around
    from projrun.server.stores import OnCreate, OpenStore

PROXIED_PATH = "proxied"
"""The last part of such an address."""

GRACE = 5.0
"""Seconds that requests under way have to finish when the endpoint closes."""


def proxied(uri: str) -> str:
    """An endpoint's address for a client that cannot reach the folder of the artifacts."""
    return uri if uri.endswith(f"/{PROXIED_PATH}") else f"{uri}/{PROXIED_PATH}"


class Endpoint:
    """A context manager: open on entry, closed on exit.

    The secret that keeps the machine's other users out is a part of the path. A token in the environment would
    be dropped by the client wherever a password or a netrc exists, and would overwrite one meant for elsewhere.
    """

    def __init__(
        self,
        open_store: OpenStore,
        listeners: list[_socket.socket],
        on_create: OnCreate | None,
        around: Around | None = None,
    ) -> None:
        self.secret = os.urandom(16).hex()
        self._port = listeners[0].getsockname()[1]
        self._open_store = open_store
        self._on_create = on_create or (lambda run_id: None)
        self._around = around
        self._listeners = listeners
        self._stop, self._stopped = _socket.socketpair()
        self._thread = threading.Thread(target=self._wait_and_serve, name="projrun-endpoint", daemon=True)

    @classmethod
    def open(
        cls,
        open_store: OpenStore,
        addresses: Sequence[str] = (),
        on_create: OnCreate | None = None,
        around: Around | None = None,
    ) -> Endpoint:
        """Listen on a free port of 127.0.0.1, and on it of `addresses`, for clients of the store.

        `open_store` is called in the threads that serve, once a client asks for something; `on_create` there with
        the id of each run that a client creates. With `around`, an application around that of the store, the server is
        imported at once, so that the first call does not wait for it.

        Raises OSError for an address that is not this machine's.
        """
        listeners = _listen(["127.0.0.1", *addresses])
        try:
            endpoint = cls(open_store, listeners, on_create, around)
        except BaseException:
            _close(listeners)
            raise
        endpoint._thread.start()
        return endpoint

    @property
    def uri(self) -> str:
        """The address on this machine, for clients that see its files."""
        return f"http://127.0.0.1:{self._port}/{self.secret}"

    def uri_at(self, host: str) -> str:
        """The address for clients that reach this machine as `host` and do not see its files."""
        return proxied(f"http://{host}:{self._port}/{self.secret}")

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
        # Whatever fails, the port is closed: a client is refused instead of waiting for ever.
        try:
            if self._around is not None or self._client_came():
                self._serve()
        finally:
            _close([*self._listeners, self._stopped])

    def _serve(self) -> None:
        from socket import socket

        from projrun.server.app import create_app
        from projrun.server.serving import serve
        from projrun.server.stores import Stores

        stores = Stores(self._open_store, self._on_create)
        # The protocol is named again: not every system says it of a descriptor.
        listeners = [socket(fileno=one.detach(), proto=_socket.IPPROTO_TCP) for one in self._listeners]
        try:
            app = create_app(stores, self.secret, PROXIED_PATH, self._around)
            serve(listeners, self._stopped.fileno(), stores, app, GRACE)
        finally:
            _close(listeners)

    def _client_came(self) -> bool:
        """Wait for the first connection: true; or for the end: false."""
        with selectors.DefaultSelector() as selector:
            for listener in self._listeners:
                selector.register(listener, selectors.EVENT_READ)
            selector.register(self._stopped, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select()}
        return self._stopped not in ready


def _listen(addresses: Sequence[str]) -> list[_socket.socket]:
    listeners: list[_socket.socket] = []
    port = 0
    try:
        for address in addresses:
            # asyncio turns Nagle's delay off (44 ms a request) only where the protocol is named.
            listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM, _socket.IPPROTO_TCP)
            listeners.append(listener)
            listener.bind((address, port))
            listener.listen(128)
            port = listener.getsockname()[1]
    except BaseException:
        _close(listeners)
        raise
    return listeners


def _close(sockets: Iterable[_socket.socket]) -> None:
    for one in sockets:
        one.close()
