"""The loopback endpoint against what it stands in for: real mlflow clients, and a real server's answers."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("endpoint_script.py")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    """An endpoint of a new store."""
    database = tmp_path / "home" / "projrun.db"
    SqlStore.open(database).close()
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        yield endpoint


@pytest.mark.parametrize(
    ("line", "in_place"),
    [
        ("2", False),
        ("3", True),
        *(pytest.param(*one, marks=pytest.mark.large) for one in (("2", True), ("3", False))),
    ],
)
def test_script_of_a_real_client(
    endpoint: Endpoint, line: str, in_place: bool, request: pytest.FixtureRequest
) -> None:
    python: Path = request.getfixturevalue(f"mlflow{line}_python")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "MLFLOW_TRACKING_URI": endpoint.uri if in_place else endpoint.uri_at("127.0.0.1"),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [python, "-W", "ignore", SCRIPT], env=environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "tracking server has failed" not in done.stderr
    record = json.loads(done.stdout[done.stdout.index('{"status"') :])
    artifacts = ["big.bin", "conf", "t.txt", "tree"]
    assert record == {
        "status": "FINISHED",
        "name": "renamed",
        "params": {"p": "1", "a": "x y", "b": "2"},
        "metrics": {"m": "inf", "q": "1.0", "r": "2.0"},
        "team": "red",
        "gone": None,
        "dataset": "diabetes",
        "history": [[0, "1.5"], [1, "nan"], [2, "inf"]],
        "artifacts": artifacts if line == "3" else sorted([*artifacts, "old"]),
        "tree": ["tree/a b.txt", "tree/sub/ü.txt"],
        "big": True,
        "text": "hi",
        "found": [True],
        "frame": 1,
        "loaded": 7 if line == "3" else 4,
        "autolog": record["autolog"],
        "resumed": 1.0,
        "refused": "INVALID_PARAMETER_VALUE",
    }
    assert record["autolog"]["alpha"] == "0.3"
    assert "training_r2_score" in record["autolog"]["metrics"]


class Server:
    """The REST API below an address, whoever serves it."""

    def __init__(self, uri: str) -> None:
        address = urlsplit(uri)
        self.prefix = address.path
        self.connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)

    def call(self, method: str, route: str, message: dict[str, Any]) -> tuple[int, Any]:
        """The status and the JSON of the answer."""
        path = f"{self.prefix}/api/2.0/{route}"
        headers = {"Content-Type": "application/json"}
        body = None if method == "GET" else json.dumps(message)
        query = f"?{urlencode(message)}" if method == "GET" else ""
        self.connection.request(method, path + query, body, headers)
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def upload(self, path: str, content: bytes) -> int:
        """Put an artifact; the status."""
        self.connection.request("PUT", f"{self.prefix}/api/2.0/mlflow-artifacts/artifacts/{path}", content)
        response = self.connection.getresponse()
        response.read()
        return response.status

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


Calls = list[tuple[str, str, dict[str, Any]]]

NAN_BATCH = [
    {"key": "m", "value": 1.5, "timestamp": 1, "step": 3},
    {"key": "m", "value": "NaN", "timestamp": 2, "step": 1},
    {"key": "n", "value": 2, "timestamp": 9},
]
DATASET = {
    "dataset": {"name": "wine", "digest": "abc", "source_type": "local", "source": "x", "schema": "{}"},
    "tags": [{"key": "mlflow.data.context", "value": "training"}],
}


def calls(name: str, experiment: str, run: str, model: str) -> Calls:
    """Requests, good and bad, that depend only on the names given."""
    of_run = {"run_id": run}
    mlflow: Calls = [
        ("GET", "experiments/get", {"experiment_id": experiment}),
        ("GET", "experiments/get-by-name", {"experiment_name": name}),
        ("GET", "experiments/get-by-name", {"experiment_name": "there is no such"}),
        ("GET", "experiments/get", {"experiment_id": "987654321"}),
        ("POST", "experiments/create", {"name": name}),
        ("POST", "experiments/create", {}),
        ("POST", "experiments/set-experiment-tag", {"experiment_id": experiment, "key": "k", "value": "v"}),
        ("POST", "experiments/search", {"filter": f"name = '{name}'", "max_results": 5}),
        ("POST", "runs/log-parameter", {**of_run, "key": "p", "value": "1"}),
        ("POST", "runs/log-parameter", {**of_run, "key": "p", "value": "1"}),
        ("POST", "runs/log-parameter", {**of_run, "key": "p", "value": "2"}),
        ("POST", "runs/log-parameter", {**of_run, "key": "a/../b", "value": "2"}),
        ("POST", "runs/log-parameter", {**of_run, "key": "long", "value": "x" * 6001}),
        ("POST", "runs/log-parameter", {**of_run, "key": "empty"}),
        ("POST", "runs/log-batch", {**of_run, "metrics": NAN_BATCH, "tags": [{"key": "t", "value": "1"}]}),
        ("POST", "runs/log-batch", {**of_run, "params": [{"key": "d", "value": "1"}] * 2}),
        ("POST", "runs/log-batch", {**of_run, "metrics": [NAN_BATCH[0]] * 1001}),
        ("POST", "runs/log-metric", {**of_run, "key": "s", "value": 3, "timestamp": 4, "step": 5}),
        ("POST", "runs/log-metric", {**of_run, "key": "s", "value": "abc", "timestamp": 4}),
        ("POST", "runs/log-metric", {**of_run, "key": "s", "value": 3}),
        ("POST", "runs/set-tag", {**of_run, "key": "mlflow.runName", "value": "second"}),
        ("POST", "runs/set-tag", {**of_run, "key": "gone", "value": "1"}),
        ("POST", "runs/delete-tag", {**of_run, "key": "gone"}),
        ("POST", "runs/delete-tag", {**of_run, "key": "gone"}),
        ("POST", "runs/log-inputs", {**of_run, "datasets": [DATASET]}),
        ("POST", "runs/outputs", {**of_run, "models": [{"model_id": model, "step": 2}]}),
        ("GET", "runs/get", of_run),
        ("GET", "runs/get", {"run_id": "none"}),
        ("GET", "runs/get", {}),
        ("GET", "metrics/get-history", {**of_run, "metric_key": "m"}),
        ("GET", "metrics/get-history", {**of_run, "metric_key": "none"}),
        (
            "POST",
            "runs/search",
            {"experiment_ids": [experiment], "filter": "metrics.n > 1 and params.p = '1'"},
        ),
        ("POST", "runs/search", {"experiment_ids": [experiment], "filter": "metrics.n > 5"}),
        ("POST", "runs/search", {"experiment_ids": [experiment], "filter": "metrics.n >"}),
        ("POST", "runs/search", {"experiment_ids": [experiment], "order_by": ["nothing"]}),
        ("POST", "runs/search", {"experiment_ids": [experiment], "max_results": 0}),
        ("POST", "runs/search", {"experiment_ids": [experiment], "page_token": "zzz"}),
        ("POST", "runs/create", {"experiment_id": "987654321"}),
        ("GET", "artifacts/list", of_run),
        ("GET", "artifacts/list", {**of_run, "path": "folder"}),
        ("GET", "artifacts/list", {**of_run, "path": "../x"}),
        ("GET", f"logged-models/{model}", {}),
        ("GET", "logged-models/m-none", {}),
        ("PATCH", f"logged-models/{model}/tags", {"tags": [{"key": "a", "value": "1"}]}),
        (
            "POST",
            f"logged-models/{model}/params",
            {"model_id": model, "params": [{"key": "b", "value": "1"}]},
        ),
        ("PATCH", f"logged-models/{model}", {"model_id": model, "status": "LOGGED_MODEL_READY"}),
        ("POST", "logged-models/search", {"experiment_ids": [experiment], "filter": "name = 'model'"}),
        ("GET", f"logged-models/{model}/artifacts/directories", {}),
        ("POST", "registered-models/create", {"name": name, "tags": [{"key": "a", "value": "1"}]}),
        ("POST", "registered-models/create", {"name": name}),
        ("POST", "model-versions/create", {"name": name, "source": f"models:/{model}", "model_id": model}),
        (
            "POST",
            "model-versions/create",
            {"name": f"{name}-none", "source": f"models:/{model}", "model_id": model},
        ),
        ("GET", "model-versions/get", {"name": name, "version": "1"}),
        ("GET", "model-versions/get", {"name": name, "version": "2"}),
        ("GET", "model-versions/get-download-uri", {"name": name, "version": "1"}),
        ("GET", "registered-models/get", {"name": name}),
        ("POST", "registered-models/get-latest-versions", {"name": name}),
        ("POST", "runs/update", {**of_run, "status": "FINISHED", "end_time": 9, "run_name": "third"}),
    ]
    folder = f"{experiment}/{run}/artifacts"
    files: Calls = [
        ("GET", "mlflow-artifacts/artifacts", {"path": folder}),
        ("GET", "mlflow-artifacts/artifacts", {"path": f"{folder}/none"}),
        ("GET", "mlflow-artifacts/artifacts", {"path": "../.."}),
        ("GET", f"mlflow-artifacts/artifacts/{folder}/none", {}),
    ]
    return [(method, f"mlflow/{route}", message) for method, route, message in mlflow] + files


ONLY_MLFLOWS = frozenset({"workspace", "sqlstate", "error_class"})
"""What only MLflow's server says: of a feature that is not here, and twice the same."""
ONLY_OURS = frozenset({"model_id"})
"""MLflow's server forgets which logged model a version came from."""
DIFFERS = frozenset({"message", "creation_time", "last_update_time", "start_time"})
"""Our own words, and the time of the test."""


def normalized(value: Any, names: dict[str, str], key: str = "") -> Any:
    """An answer without what must differ: ids become words, times and messages their type."""
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if name not in ONLY_MLFLOWS}
        if kept.get("outputs") == {}:
            # MLflow's answer leaves them out where a run has just been created.
            del kept["outputs"]
        if "current_stage" in kept:
            kept = {name: each for name, each in kept.items() if name not in ONLY_OURS}
        return {name: normalized(each, names, name) for name, each in kept.items()}
    if isinstance(value, list):
        return sorted((normalized(each, names) for each in value), key=json.dumps)
    if key in DIFFERS or ("timestamp" in key and isinstance(value, int) and value > 10**9):
        return type(value).__name__
    if isinstance(value, str):
        for identifier, word in names.items():
            value = value.replace(identifier, word)
    return value


def answers(uri: str) -> list[tuple[str, int, Any]]:
    """What a server says to the calls, in the end without its ids."""
    name = f"shapes-{uuid.uuid4().hex}"
    with closing(Server(uri)) as server:
        _, created = server.call("POST", "mlflow/experiments/create", {"name": name})
        experiment = created["experiment_id"]
        start = {"experiment_id": experiment, "user_id": "ann", "run_name": "first", "start_time": 1}
        first = server.call("POST", "mlflow/runs/create", start)
        run = first[1]["run"]["info"]["run_id"]
        fields = {"experiment_id": experiment, "name": "model", "source_run_id": run, "model_type": "x"}
        second = server.call("POST", "mlflow/logged-models", fields)
        model = second[1]["model"]["info"]["model_id"]
        for path in ("top.txt", "folder/inner.txt"):
            assert server.upload(f"{experiment}/{run}/artifacts/{path}", b"12345") == 200
        said = [("create run", *first), ("create model", *second)]
        for method, route, message in calls(name, experiment, run, model):
            shown = f"{method} {route} {json.dumps(message)[:100]}"
            said.append((shown, *server.call(method, route, message)))
    names = {name: "NAME", run: "RUN", model: "MODEL", f":/{experiment}/": ":/EXPERIMENT/"}
    found: list[tuple[str, int, Any]] = []
    for shown, status, answer in said:
        text = json.loads(
            json.dumps(answer).replace(f'"experiment_id": "{experiment}"', '"experiment_id": "E"')
        )
        location = f'"mlflow-artifacts:/{experiment}"'
        text = json.loads(json.dumps(text).replace(location, '"mlflow-artifacts:/E"'))
        found.append(
            (normalized(shown, {**names, f"{experiment}/RUN": "E/RUN"}), status, normalized(text, names))
        )
    return found


def test_answers_are_those_of_a_real_server(endpoint: Endpoint, mlflow3_server: str) -> None:
    ours, theirs = answers(endpoint.uri_at("127.0.0.1")), answers(mlflow3_server)
    assert len(ours) == len(theirs)
    different = [
        f"{mine[0]}\n  ours   {mine[1]} {json.dumps(mine[2], sort_keys=True)}\n"
        f"  theirs {other[1]} {json.dumps(other[2], sort_keys=True)}"
        for mine, other in zip(ours, theirs, strict=True)
        if mine[1:] != other[1:]
    ]
    assert not different, "\n".join(different)
