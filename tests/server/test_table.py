"""Which route answers a request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projrun.server.app import ROUTES
from projrun.server.table import Table


def named(name: str) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "answer", "name": name, "variables": scope.get("path_params", {})})

    return answer


TABLE = Table(
    [
        ("/runs/get", ["GET"], named("get")),
        ("/runs/get", ["POST"], named("post")),
        ("/models/search", ["POST"], named("search")),
        ("/models/{model_id}", ["GET"], named("model")),
        ("/models/{model_id}", ["DELETE"], named("delete")),
        ("/models/{model_id}/tags/{key}", ["DELETE"], named("tag")),
        ("/files/{path:path}", ["GET"], named("file")),
    ]
)


def ask(method: str, path: str) -> Message:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Any: ...

    asyncio.run(TABLE({"type": "http", "method": method, "path": path}, receive, send))
    return sent[0]


@pytest.mark.parametrize(
    ("method", "path", "name", "variables"),
    [
        ("GET", "/runs/get", "get", {}),
        ("HEAD", "/runs/get", "get", {}),
        ("POST", "/runs/get", "post", {}),
        ("POST", "/models/search", "search", {}),
        ("GET", "/models/m-1", "model", {"model_id": "m-1"}),
        ("DELETE", "/models/m.1", "delete", {"model_id": "m.1"}),
        ("DELETE", "/models/m-1/tags/a\nb", "tag", {"model_id": "m-1", "key": "a\nb"}),
        ("GET", "/files/a/b", "file", {"path": "a/b"}),
        ("GET", "/files/", "file", {"path": ""}),
    ],
)
def test_route(method: str, path: str, name: str, variables: dict[str, str]) -> None:
    assert ask(method, path) == {"type": "answer", "name": name, "variables": variables}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/models/", 404),
        ("GET", "/models/a/b", 404),
        ("GET", "/filesx", 404),
        ("PUT", "/runs/get", 405),
        ("GET", "/models/m-1/tags/k", 405),
    ],
)
def test_no_route(method: str, path: str, status: int) -> None:
    assert ask(method, path)["status"] == status


def test_every_route_is_registered_once() -> None:
    served = [(method, path) for route in ROUTES for path in route.paths for method in route.methods]
    assert len(served) == len(set(served))
    assert {path.split("/")[1] for _, path in served} >= {"api", "ajax-api"}
