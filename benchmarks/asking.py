"""Asking a scoring server: one request after the other, or several clients at once, with little work of our own."""

from __future__ import annotations

import json
import random
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing

COLUMNS = (
    "fixed acidity", "volatile acidity", "citric acid", "residual sugar", "chlorides", "free sulfur dioxide",
    "total sulfur dioxide", "density", "pH", "sulphates", "alcohol",
)  # fmt: skip
"""Of the wine in MLflow's tutorial."""
_SIZE = 1 << 16


def body(rows: int, seed: int = 0) -> bytes:
    """A table of so many rows, no two of them alike."""
    chance = random.Random(seed)
    data = [[round(chance.random(), 4) for _ in COLUMNS] for _ in range(rows)]
    return json.dumps({"dataframe_split": {"columns": COLUMNS, "data": data}}).encode()


def request(content: bytes) -> bytes:
    """The whole request for predictions."""
    head = "POST /invocations HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: "
    return f"{head}{len(content)}\r\n\r\n".encode() + content


class Client:
    """One connection, kept, with one request under way."""

    def __init__(self, port: int) -> None:
        self.link = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._came = bytearray()

    def close(self) -> None:
        """Leave."""
        self.link.close()

    def ask(self, whole: bytes) -> bytes:
        """The body of the answer. Raises RuntimeError for any status but 200."""
        self.link.sendall(whole)
        while (answer := self.received()) is None:
            pass
        return answer

    def received(self) -> bytes | None:
        """Read once; the body of the answer where it is complete."""
        piece = self.link.recv(_SIZE)
        if not piece:
            raise RuntimeError("the server has closed the connection")
        self._came += piece
        head, end, rest = self._came.partition(b"\r\n\r\n")
        if not end:
            return None
        fields = dict(line.lower().split(b": ", 1) for line in bytes(head).split(b"\r\n")[1:])
        if len(rest) < int(fields[b"content-length"]):
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(bytes(self._came).decode(errors="replace")[:500])
        self._came.clear()
        return bytes(rest)


def one_by_one(port: int, whole: bytes, calls: int) -> list[float]:
    """The seconds of each of so many requests."""
    with closing(Client(port)) as client:
        client.ask(whole)
        took = []
        for _ in range(calls):
            began = time.perf_counter()
            client.ask(whole)
            took.append(time.perf_counter() - began)
    return took


def at_once(port: int, requests: Sequence[bytes], seconds: float) -> int:
    """How many answers clients got in that time; each asks again once it has its answer."""
    count = 0
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        for whole in requests:
            client = stack.enter_context(closing(Client(port)))
            selector.register(client.link, selectors.EVENT_READ, (client, whole))
            client.link.sendall(whole)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for key, _ in selector.select(timeout=60):
                client, whole = key.data
                if client.received() is not None:
                    count += 1
                    client.link.sendall(whole)
    return count
