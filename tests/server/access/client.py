"""Calls of an application with users, without sockets."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from collections.abc import Coroutine, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message

API = "/api/2.0/mlflow/"
API3 = "/api/3.0/mlflow/"


Result = TypeVar("Result")


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """Of all applications of these tests, in a thread: a store's writer answers to one.

    Made when it is first asked for: a fork has one of its own.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


def in_loop(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of what runs in the loop."""
    return asyncio.run_coroutine_threadsafe(coroutine, event_loop()).result(timeout=30)


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


def basic(name: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


class Client:
    """One user, or nobody."""

    def __init__(self, application: ASGIApp, authorization: str = "", address: str = "127.0.0.1") -> None:
        self.application = application
        self.headers = {"content-type": "application/json"}
        if authorization:
            self.headers["authorization"] = authorization
        self.address = address

    def send(self, method: str, path: str, body: bytes = b"", query: str = "") -> Answer:
        """One request."""
        return in_loop(self.sent(method, path, body, query))

    async def sent(self, method: str, path: str, body: bytes = b"", query: str = "") -> Answer:
        """As `send`, within the event loop."""
        parts: list[Message] = []

        asked: list[bool] = []

        async def receive() -> Message:
            if asked:  # the client stays
                await asyncio.Event().wait()
            asked.append(True)
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            parts.append(message)

        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        scope = {
            "type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers,
            "client": (self.address, 1), "scheme": "http", "server": ("127.0.0.1", 80),
        }  # fmt: skip
        await self.application(scope, receive, send)
        found = {name.decode(): value.decode() for name, value in parts[0]["headers"]}
        return Answer(parts[0]["status"], b"".join(part.get("body", b"") for part in parts[1:]), found)

    def post(self, route: str, *, base: str = API, method: str = "POST", **message: object) -> Answer:
        """JSON to a route of the API."""
        return self.send(method, base + route, json.dumps(message).encode())

    def get(self, route: str, *, base: str = API, **query: object) -> Answer:
        """Ask a route of the API."""
        return self.send("GET", base + route, query=urlencode(query, doseq=True))
