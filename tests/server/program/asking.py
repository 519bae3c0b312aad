"""The program's application without a socket: a request in, an answer out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from projrun.server.program.configuration import Program
from projrun.server.program.running import surrounded
from projrun.server.stores import Stores
from projrun.tracking.sql.store import SqlStore


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}


def answers(database: Path, program: Program, *requests: Asked) -> list[Answer]:
    """The answers of a new server of a store, one request after the other."""

    async def run() -> list[Answer]:
        with Stores(lambda: SqlStore.open(database)) as stores:
            app = surrounded(program, stores)
            return [await _ask(app, request) for request in requests]

    return asyncio.run(run())


async def _ask(app: Any, request: Asked) -> Answer:
    path, _, query = request.path.partition("?")
    headers = {"host": "127.0.0.1:5000", "content-type": "application/json", **request.headers}
    scope = {
        "type": "http", "http_version": "1.1", "scheme": "http", "method": request.method, "path": unquote(path),
        "raw_path": path.encode(), "query_string": query.encode(),
        "client": ("127.0.0.1", 1234), "server": ("127.0.0.1", 5000),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    found = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))
