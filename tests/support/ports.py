"""A port for a server that cannot be asked which one it took."""

from __future__ import annotations

import errno
import random
import socket

_BELOW_CLIENTS = range(15_000, 30_000)
"""Systems give clients, and who asks for any port, higher ones: none is taken before the server starts."""


def free_port() -> int:
    """A port of loopback that nothing has; no two are likely to be the same."""
    chance = random.SystemRandom()
    while True:
        port = chance.choice(_BELOW_CLIENTS)
        try:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port
