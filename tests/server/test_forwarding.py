"""The endpoint of a buffered run: what is about the run is answered here, all else by the server behind."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from projrun.journal.journal import Journal
from projrun.server.endpoint import Endpoint
from projrun.server.forwarding import Buffered
from projrun.tracking.entities import Param, Run, Tag
from projrun.tracking.rest.upstream import RestUpstream
from tests.tracking.loopback import Answer, Loopback, Received, always, closed_port, serve

RUN = Run("f" * 32, "7", "calm", "RUNNING", 1, None, "s3://bucket/7/f", params=(Param("a", "1"),))
API = "api/2.0/mlflow"


@contextmanager
def endpoint_before(uri: str, folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Endpoint]:
    """The endpoint of RUN, before the server with that address."""
    with Journal(folder) as journal:
        journal.adopt(RUN)
    upstream = RestUpstream(uri, environ or {})
    view: Callable[[], Any] = lambda: Journal(folder).view(RUN)  # noqa: E731
    with Endpoint.open(view, around=lambda local: Buffered(local, upstream, RUN.run_id)) as endpoint:
        yield endpoint


def ask(
    endpoint: Endpoint, method: str, path: str, body: bytes | str | None = None, **headers: str
) -> tuple[int, Any, Mapping[str, str]]:
    """Status, content (JSON where it is) and headers."""
    address = urlsplit(endpoint.uri)
    with closing(http.client.HTTPConnection(address.netloc, timeout=60)) as connection:
        connection.request(
            method, f"{address.path}/{path}", body, {"Content-Type": "application/json"} | headers
        )
        answer = connection.getresponse()
        content = answer.read()
    is_json = answer.getheader("Content-Type") == "application/json"
    return answer.status, json.loads(content) if is_json else content, dict(answer.getheaders())


def echoed(received: Received) -> Answer:
    """What the server got, as JSON."""
    document = {
        "method": received.method, "path": received.path, "headers": dict(received.headers), "size": len(received.body),
    }  # fmt: skip
    return Answer(json.dumps(document).encode(), 202, {"Content-Type": "application/json", "X-Kept": "yes"})


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve(echoed) as server:
        yield server


def test_what_is_about_the_run_never_reaches_the_server(server: Loopback, tmp_path: Path) -> None:
    with endpoint_before(server.uri, tmp_path) as endpoint:
        metric = {"run_id": RUN.run_id, "key": "loss", "value": 1, "timestamp": 1, "step": 2}
        assert ask(endpoint, "POST", f"{API}/runs/log-metric", json.dumps(metric))[0] == 200
        assert ask(endpoint, "POST", f"{API}/runs/set-tag", json.dumps({**metric, "value": "x"}))[0] == 200
        found = ask(endpoint, "GET", f"{API}/runs/get?run_id={RUN.run_id}")[1]["run"]
        history = ask(endpoint, "GET", f"{API}/metrics/get-history?run_id={RUN.run_id}&metric_key=loss")[1]
    assert (found["info"]["experiment_id"], found["info"]["artifact_uri"]) == ("7", "s3://bucket/7/f")
    assert [param["key"] for param in found["data"]["params"]] == ["a"]
    assert [metric["step"] for metric in history["metrics"]] == [2]
    assert server.received == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{API}/runs/get?run_id=other", None),
        ("POST", f"{API}/runs/log-metric", json.dumps({"run_id": "other"})),
        (
            "POST",
            f"{API}/runs/log-inputs",
            json.dumps({"run_id": RUN.run_id, "models": [{"model_id": "m-1"}]}),
        ),
        ("POST", f"{API}/runs/log-batch", "no json"),
        ("GET", f"{API}/experiments/get-by-name?experiment_name=a%20b%26c", None),
        ("PATCH", f"{API}/logged-models/m-1/tags", "{}"),
        ("PUT", "api/2.0/mlflow-artifacts/artifacts/0/a%20b%23%25.bin", "x" * 100_000),
        ("POST", "api/3.0/mlflow/traces", "{}"),
    ],
)
def test_all_else_passes_as_it_is(
    server: Loopback, tmp_path: Path, method: str, path: str, body: str | None
) -> None:
    with endpoint_before(server.uri, tmp_path) as endpoint:
        status, content, headers = ask(endpoint, method, path, body)
    assert (status, headers["x-kept"]) == (202, "yes")
    assert (content["method"], content["path"], content["size"]) == (method, f"/{path}", len(body or ""))


def test_the_credentials_are_those_of_projrun(server: Loopback, tmp_path: Path) -> None:
    environ = {"MLFLOW_TRACKING_TOKEN": "secret", "MLFLOW_WORKSPACE": "team"}
    with endpoint_before(server.uri, tmp_path, environ) as endpoint:
        ask(endpoint, "GET", "version", Authorization="Bearer stolen", Cookie="a=b", Accept="text/plain")
    (received,) = server.received
    assert received.headers["authorization"] == "Bearer secret"
    assert received.headers["x-mlflow-workspace"] == "team"
    assert received.headers["accept"] == "text/plain"
    assert "cookie" not in received.headers


def test_without_the_server_the_run_goes_on_and_the_rest_is_unavailable(tmp_path: Path) -> None:
    with closed_port() as uri, endpoint_before(uri, tmp_path) as endpoint:
        assert ask(endpoint, "GET", f"{API}/runs/get?run_id={RUN.run_id}")[0] == 200
        status, content, _ = ask(endpoint, "GET", f"{API}/runs/get?run_id=other")
        assert (status, content["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert ask(endpoint, "POST", f"{API}/runs/search", json.dumps({"experiment_ids": ["7"]}))[0] == 503


def run_of(run_id: str, status: str) -> dict[str, Any]:
    return {"info": {"run_id": run_id, "status": status}, "data": {}}


@pytest.mark.parametrize(
    ("theirs", "body", "names"),
    [
        (["other", RUN.run_id, "last"], {}, ["other", RUN.run_id, "last"]),
        (["other"], {}, [RUN.run_id, "other"]),
        (["other"], {"page_token": "next"}, ["other"]),
        (["other", RUN.run_id], {"filter": "tags.stage = 'absent'"}, ["other"]),
        (["other"], {"filter": "tags.stage = 'late'"}, [RUN.run_id, "other"]),
        (["other"], {"experiment_ids": ["8"]}, ["other"]),
    ],
)
def test_a_search_shows_the_run_as_it_is_here(
    tmp_path: Path, theirs: list[str], body: dict[str, Any], names: list[str]
) -> None:
    document = {"runs": [run_of(run_id, "SCHEDULED") for run_id in theirs], "next_page_token": "more"}
    asked = json.dumps({"experiment_ids": ["7"], **body})
    with (
        serve(always(Answer(json.dumps(document).encode()))) as server,
        endpoint_before(server.uri, tmp_path) as endpoint,
    ):
        with Journal(tmp_path) as journal:
            journal.store.set_tag(RUN.run_id, Tag("stage", "late"))
        status, answer, _ = ask(endpoint, "POST", f"{API}/runs/search", asked)
    assert (status, answer["next_page_token"]) == (200, "more")
    assert [run["info"]["run_id"] for run in answer["runs"]] == names
    mine = [run["info"]["status"] for run in answer["runs"] if run["info"]["run_id"] == RUN.run_id]
    assert mine in ([], ["RUNNING"])
