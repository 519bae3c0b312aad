"""What the scoring server has beside MLflow's addresses."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.scoring import Reply, Scoring, scoring_server, start_scoring, wait_until
from tests.support.virtualenvs import built_environment

pytestmark = pytest.mark.integration

PARSE = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families as parse
print(json.dumps([[s.name, s.labels, s.value] for family in parse(sys.stdin.read()) for s in family.samples]))
"""


def pid_of(scoring: Scoring) -> int:
    """The process of the model `m`."""
    body = json.dumps({"dataframe_records": [{"command": "pid"}]})
    value: Any = scoring.send(body, path="/models/m/invocations").value
    return int(value["predictions"][0])


def metrics(scoring: Scoring) -> dict[str, float]:
    """Every sample as Prometheus' own parser reads it, by its name and its labels but for the model."""
    reply = scoring.send(path="/metrics", method="GET", kind=None)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    python = built_environment("prometheus", ("prometheus-client>=0.20,<1",))
    done = subprocess.run([python, "-c", PARSE], input=reply.body, capture_output=True, check=True)
    samples = {}
    for name, labels, value in json.loads(done.stdout):
        if name.startswith("projrun"):
            assert labels.pop("model") == "m"
        words = ",".join(labels.values())
        samples[f"{name.removeprefix('projrun_model_')} {words}".strip()] = value
    return samples


@pytest.mark.usefixtures("light_workers")
def test_metrics_say_what_the_model_was_asked_and_how_its_workers_are(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    with scoring_server(
        mlflow3_python, scoring_models / "obedient", tmp_path / "log", max_body=1000
    ) as scoring:
        before = metrics(scoring)
        assert (before["workers"], before["worker_restarts_total"], before["requests_active"]) == (1, 0, 0)
        assert "requests_total 200" not in before
        pid = pid_of(scoring)
        assert scoring.send("{}").status == 400
        assert scoring.send("x" * 1001).status == 413
        with ThreadPoolExecutor(2) as threads, scoring.busy() as release:
            rest = [threads.submit(scoring.predict, "sleep 1") for _ in range(2)]
            wait_until("both wait", lambda: scoring.gauge("requests_waiting") == 2)
            meanwhile = metrics(scoring)
            assert (meanwhile["requests_active"], meanwhile["requests_waiting"]) == (3, 2)
            release()
            assert {each.result().status for each in rest} == {200}
        os.kill(pid, signal.SIGKILL)
        wait_until("another worker", lambda: scoring.predict("pid").status == 200)
        after = metrics(scoring)
        assert after["requests_total 400"] == after["requests_total 413"] == 1
        assert after["requests_total 200"] >= 5
        assert after["request_duration_seconds_count"] == sum(
            value for name, value in after.items() if re.fullmatch(r"requests_total \d+", name)
        )
        assert after["request_duration_seconds_bucket 1.0"] < after["request_duration_seconds_bucket +Inf"]
        assert (after["workers"], after["worker_restarts_total"]) == (1, 1)
        (memory,) = [value for name, value in after.items() if name.startswith("worker_memory_bytes")]
        assert memory > 50e6
        assert f"worker_memory_bytes {pid}" in before and f"worker_memory_bytes {pid}" not in after
        assert after["process_resident_memory_bytes"] > 10e6


def test_several_models_each_have_their_environment_and_their_address(
    mlflow3_python: Path, mlflow2_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    more = {
        "a b": (mlflow3_python, scoring_models / "sklearn"),
        "old": (mlflow2_python, scoring_models / "plain"),
    }
    with scoring_server(mlflow3_python, scoring_models / "obedient", tmp_path / "log", more=more) as scoring:

        def get(path: str) -> Reply:
            return scoring.send(path=path, method="GET", kind=None)

        table = json.dumps({"dataframe_records": [{"a": 1.0, "b": 2.0}]})
        assert scoring.send(table, path="/models/a%20b/invocations").status == 200
        assert "DataFrame" not in scoring.send(table, path="/models/old/invocations").body.decode()
        assert get("/models/old/version").body.startswith(b"2.")
        assert get("/models/a%20b/version/").body.startswith(b"3.")
        assert get("/models").value == {
            "models": [
                {"name": "m", "version": "7", "ready": True},
                {"name": "a b", "version": "", "ready": True},
                {"name": "old", "version": "", "ready": True},
            ]
        }
        assert get("/").status == 404
        root = Request(f"http://127.0.0.1:{scoring.port}/", headers={"Accept": "text/html,*/*"})
        with urlopen(root) as page:  # what a browser gets
            assert (page.url, page.status) == (f"http://127.0.0.1:{scoring.port}/docs", 200)
        for path in ("/ping", "/health", "/models/m/ping", "/models/old/health"):
            assert (get(path).status, get(path).body) == (200, b"\n")
        nowhere = scoring.send(table)
        assert nowhere.status == scoring.send(table, path="/models/absent/invocations").status == 404
        assert nowhere.value == {
            "error_code": "RESOURCE_DOES_NOT_EXIST",
            "message": "This server has several models: /models/NAME/invocations has m, a b, old.",
        }
        paths = scoring.send(path="/openapi.json", method="GET").value["paths"]  # type: ignore[index]
        assert "/models/a%20b/invocations" in paths and "/invocations" not in paths
        os.kill(pid_of(scoring), signal.SIGSTOP)
        assert scoring.send(table, path="/models/old/invocations").status == 200


@pytest.mark.usefixtures("light_workers")
def test_a_server_is_ready_once_all_models_are(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(scoring_models / "obedient", tmp_path / "model"))
    more = {"other": (mlflow3_python, scoring_models / "plain")}
    with scoring_server(mlflow3_python, model, tmp_path / "log", more=more) as scoring:

        def status(path: str) -> int:
            return scoring.send(path=path, method="GET").status

        (model / "MLmodel").rename(model / "away")  # it cannot be loaded again
        os.kill(pid_of(scoring), signal.SIGKILL)
        wait_until("it is gone", lambda: status("/models/m/ping") == 503)
        assert (status("/ping"), status("/models/other/ping")) == (503, 200)
        (model / "away").rename(model / "MLmodel")
        wait_until("it is back", lambda: status("/ping") == 200)


@pytest.mark.usefixtures("light_workers")
def test_one_model_that_does_not_load_ends_the_server(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    more = {"bad": (mlflow3_python, scoring_models / "broken")}
    process = start_scoring(mlflow3_python, scoring_models / "obedient", tmp_path / "log", more=more)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 4
    assert output == "error: model 'bad' cannot be loaded: RuntimeError: the weights are not there\n"
