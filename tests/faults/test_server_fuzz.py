"""Whatever a client sends to any route, the server answers soon, and never with 500: that is a bug."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projrun.server.api import Route
from projrun.server.app import ROUTES, create_api
from projrun.server.stores import Stores
from projrun.tracking.sql.store import SqlStore
from tests.faults.messages import Sent, request
from tests.support.examples import examples

EACH = examples(60)
"""Requests to each route; in CI some 5,000 of all."""
LARGE = 3_000
"""The same by hand, some 200,000."""


class Served:
    """The application in this process, without a socket."""

    def __init__(self, stores: Stores) -> None:
        self._loop = asyncio.new_event_loop()
        self._application = create_api(stores)
        self._names: dict[str, str] = {}

    def close(self) -> None:
        """End the loop."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def prepare(self) -> None:
        """A run, a logged model and a version of a registered model."""
        run = self.json("/api/2.0/mlflow/runs/create", experiment_id="0", start_time=1)["run"]["info"][
            "run_id"
        ]
        model = self.json("/api/2.0/mlflow/logged-models", experiment_id="0")["model"]["info"]["model_id"]
        self._names = {"RUN": run, "MODEL": model}
        self.json("/api/2.0/mlflow/registered-models/create", name="wine")
        source = {"source": "runs:/RUN/x", "run_id": "RUN"}
        self.json("/api/2.0/mlflow/model-versions/create", name="wine", **source)

    def json(self, path: str, **fields: object) -> Any:
        """The answer to a sound request."""
        status, body = self.send(Sent("POST", path, "", json.dumps(fields).encode()))
        assert status == 200, body
        return json.loads(body)

    def send(self, sent: Sent) -> tuple[int, bytes]:
        """The status and the body."""
        for name, value in self._names.items():
            sent = Sent(*(_named(part, name, value) for part in sent))
        return self._loop.run_until_complete(asyncio.wait_for(self._answer(sent), 20))

    async def _answer(self, sent: Sent) -> tuple[int, bytes]:
        answers: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": sent.method,
            "path": unquote(sent.path),
            "raw_path": sent.path.encode(),
            "query_string": sent.query.encode(),
            "headers": [(b"content-type", b"application/json"), (b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
            "scheme": "http",
            "root_path": "",
        }
        bodies = iter([{"type": "http.request", "body": sent.body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(bodies, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            answers.append(message)

        await self._application(scope, receive, send)
        return answers[0]["status"], b"".join(each.get("body", b"") for each in answers[1:])


def _named(part: Any, name: str, value: str) -> Any:
    return (
        part.replace(name.encode(), value.encode()) if isinstance(part, bytes) else part.replace(name, value)
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application over a new store."""
    database: Path = tmp_path_factory.mktemp("fuzz") / "projrun.db"
    with Stores(lambda: SqlStore.open(database)) as stores:
        served = Served(stores)
        served.prepare()
        yield served
        served.close()


def check(served: Served, sent: Sent) -> None:
    """The answer is one, and where it is an error it has MLflow's shape."""
    status, body = served.send(sent)
    assert status < 500 or status == 501, (sent, body[:500])
    if status >= 400 and sent.method != "HEAD":
        assert json.loads(body).keys() == {"error_code", "message"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.methods[0]} {route.paths[0]}")
def test_any_request(served: Served, route: Route) -> None:
    for seed in range(EACH):
        check(served, request(route, seed))


@pytest.mark.large
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.methods[0]} {route.paths[0]}")
def test_many_requests(served: Served, route: Route) -> None:
    for seed in range(60, LARGE):
        check(served, request(route, seed))


SEARCHES = [route for route in ROUTES if any("search" in path for path in route.paths)]


@given(route=st.sampled_from(SEARCHES), seed=st.integers(0, 2**32))
@settings(
    deadline=None, max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_filter_and_order(served: Served, route: Route, seed: int) -> None:
    check(served, request(route, seed))
