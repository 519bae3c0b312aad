"""What the scoring server has beside MLflow's addresses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.scoring import Scoring, scoring_server, wait_until
from tests.support.virtualenvs import built_environment

pytestmark = [pytest.mark.integration, pytest.mark.together("scoring models")]

PARSE = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families as parse
print(json.dumps([[s.name, s.labels, s.value] for family in parse(sys.stdin.read()) for s in family.samples]))
"""


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


def test_metrics_say_what_the_model_was_asked_and_how_its_workers_are(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    with scoring_server(
        mlflow3_python, scoring_models / "obedient", tmp_path / "log", max_body=1000
    ) as scoring:
        before = metrics(scoring)
        assert (before["workers"], before["worker_restarts_total"], before["requests_active"]) == (1, 0, 0)
        assert "requests_total 200" not in before
        pid = int(scoring.predict("pid").value["predictions"][0])  # type: ignore[index]
        assert scoring.send("{}").status == 400
        assert scoring.send("x" * 1001).status == 413
        with ThreadPoolExecutor(3) as threads:
            slow = [threads.submit(scoring.predict, "sleep 1.5") for _ in range(3)]
            time.sleep(0.5)
            meanwhile = metrics(scoring)
            assert (meanwhile["requests_active"], meanwhile["requests_waiting"]) == (3, 2)
            assert {each.result().status for each in slow} == {200}
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
