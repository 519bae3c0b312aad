"""The ASGI application: the addresses of the models of a server.

Each model is MLflow's scoring server below `/models/NAME`; one that is alone is at the root, too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from starlette.types import Receive, Scope, Send

from projrun.http.serving.exposition import MEDIA_TYPE, exposition
from projrun.http.serving.lingering import send_early
from projrun.models.serving.answers import Answer, json_answer, refusal
from projrun.models.serving.docs.openapi import openapi
from projrun.models.serving.docs.page import FILES, file, page
from projrun.models.serving.endpoint import Endpoint
from projrun.models.serving.kserve.routes import OpenInference, error, is_inference
from projrun.models.serving.metrics import metrics
from projrun.models.serving.route import Route

_MODELS = "/models/"
_NOT_FOUND = Answer(404, b'{"detail":"Not Found"}')
_DOCS = Answer(307, b"", headers={"location": "docs"})
"""For people who open the address that the server said; clients of MLflow get its 404."""


class App:
    """Answers the requests of a server."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints
        self._began = time.time()
        self._inference = OpenInference(endpoints)
        self._routes = {
            "/metrics": Route("GET", self._metrics),
            "/openapi.json": Route("GET", self._openapi),
            "/docs": Route("GET", self._page),
            "/models": Route("GET", self._models),
            **{f"/docs/{name}": Route("GET", partial(_file, name)) for name in FILES},
        }
        for endpoint in endpoints:
            self._routes |= _scoring(endpoint, f"{_MODELS}{endpoint.name}")
        self._routes |= _scoring(endpoints[0], "") if len(endpoints) == 1 else self._of_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        if answer is not None:
            await _send(answer, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        path = scope["path"].rstrip("/")
        route = self._routes.get(path) or self._inference.find(path)
        if route is None:
            return self._absent(path) if path or not _is_browser(scope) else _DOCS
        if scope["method"] != route.method:
            return _wrong_method(route, path)
        return await route.respond(scope, receive)

    def _of_all(self) -> dict[str, Route]:
        """What is at the root of several models."""
        health = Route("GET", partial(_health, self._endpoints))
        return {"/invocations": Route("POST", self._ambiguous), "/ping": health, "/health": health}

    def _absent(self, path: str) -> Answer:
        if is_inference(path):
            return self._inference.absent(path)
        name = path.removeprefix(_MODELS).partition("/")[0]
        if path.startswith(_MODELS) and all(each.name != name for each in self._endpoints):
            return refusal(
                404, "RESOURCE_DOES_NOT_EXIST", f"There is no model {name!r} here: {self._names()}."
            )
        return _NOT_FOUND

    def _names(self) -> str:
        return f"{_MODELS}NAME/invocations has {', '.join(each.name for each in self._endpoints)}"

    async def _ambiguous(self, scope: Scope, receive: Receive) -> Answer:
        return refusal(404, "RESOURCE_DOES_NOT_EXIST", f"This server has several models: {self._names()}.")

    async def _models(self, scope: Scope, receive: Receive) -> Answer:
        models = [
            {"name": each.name, "version": each.version, "ready": each.pool.is_healthy}
            for each in self._endpoints
        ]
        return json_answer({"models": models})

    async def _metrics(self, scope: Scope, receive: Receive) -> Answer:
        return Answer(200, exposition(metrics(self._endpoints, self._began)), MEDIA_TYPE)

    async def _openapi(self, scope: Scope, receive: Receive) -> Answer:
        return json_answer(openapi([each.pool.description for each in self._endpoints]))

    async def _page(self, scope: Scope, receive: Receive) -> Answer:
        # Links are relative: a proxy that publishes the server below a path need not be known.
        return page([each.pool.description for each in self._endpoints], "../" * scope["path"].endswith("/"))


def _is_browser(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def _wrong_method(route: Route, path: str) -> Answer:
    headers = {"allow": route.method}
    if is_inference(path):
        return error(405, "Method Not Allowed")._replace(headers=headers)
    return Answer(405, b'{"detail":"Method Not Allowed"}', headers=headers)


def _scoring(endpoint: Endpoint, root: str) -> dict[str, Route]:
    """The addresses of MLflow's scoring server, below a path."""
    health = Route("GET", partial(_health, [endpoint]))
    return {
        f"{root}/invocations": Route("POST", endpoint.predict),
        f"{root}/ping": health,
        f"{root}/health": health,
        f"{root}/version": Route("GET", partial(_version, endpoint)),
    }


async def _health(endpoints: Sequence[Endpoint], scope: Scope, receive: Receive) -> Answer:
    return Answer(200 if all(each.pool.is_healthy for each in endpoints) else 503, b"\n")


async def _file(name: str, scope: Scope, receive: Receive) -> Answer:
    return file(name)


async def _version(endpoint: Endpoint, scope: Scope, receive: Receive) -> Answer:
    return Answer(200, endpoint.pool.version.encode())


async def _send(answer: Answer, receive: Receive, send: Send) -> None:
    media_type = answer.media_type
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    headers = {"content-type": media_type, "content-length": str(len(answer.body)), **answer.headers}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    start = {"type": "http.response.start", "status": answer.status, "headers": pairs}
    if "connection" in answer.headers:
        await send_early(start, answer.body, receive, send)
    else:
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})
