"""The Open Inference Protocol beside MLServer's: the same requests get the same tensors."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.inference_cases import COLUMNS, GOOD, tensor
from tests.support.ports import free_port
from tests.support.scoring import Reply, scoring_server, send
from tests.support.virtualenvs import MLFLOW3, built_environment

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MODELS = ("sklearn", "back-numbers", "back-tensor", "back-tensors")
"""MLServer cannot give back columns of texts, bytes and datetimes."""


def mlserver_python() -> Path:
    """A Python with MLServer and Triton's client."""
    return built_environment("mlserver", ("mlserver>=1.7,<2", "mlserver-mlflow>=1.7,<2", *MLFLOW3))


@contextmanager
def mlserver(models: Path, folder: Path) -> Iterator[int]:
    """The port of an MLServer of the models."""
    python = mlserver_python()
    port = free_port()
    settings = {
        "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port(),
        "parallel_workers": 0,
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    for name in MODELS:
        (folder / name).mkdir()
        its = {
            "name": name, "implementation": "mlserver_mlflow.MLflowRuntime", "parameters": {"uri": str(models / name)}
        }  # fmt: skip
        (folder / name / "model-settings.json").write_text(json.dumps(its))
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [python.with_name("mlserver"), "start", folder], stdout=output, stderr=output, cwd=folder
        ) as process,
    ):
        try:
            deadline = time.monotonic() + 180
            while not _is_ready(port):
                assert process.poll() is None and time.monotonic() < deadline, log.read_text("utf-8")
                time.sleep(0.2)
            yield port
        finally:
            process.kill()


def _is_ready(port: int) -> bool:
    try:
        return send(port, "", None, "/v2/health/ready", "GET").status == 200
    except OSError:
        return False


def told(reply: Reply) -> list[dict[str, Any]]:
    """The tensors of an answer, without MLServer's names for what is in them."""
    assert reply.status == 200, reply
    value: Any = reply.value
    return [{key: each[key] for key in ("name", "datatype", "shape", "data")} for each in value["outputs"]]


def test_the_same_requests_get_the_same_tensors(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    pair = [tensor("a", [1.0, 2.0]), tensor("b", [3, 4], "FP32", [2, 1])]
    good: dict[str, list[Any]] = {
        **GOOD,
        "sklearn": [pair, pair[::-1]],
        "back-numbers": [COLUMNS[:5], COLUMNS[4::-1]],
    }
    more = {name: (mlflow3_python, scoring_models / name) for name in MODELS}
    with (
        scoring_server(mlflow3_python, scoring_models / "plain", tmp_path / "log", more=more) as ours,
        mlserver(scoring_models, tmp_path) as port,
    ):
        for name in MODELS:
            path = f"/v2/models/{name}"
            mine: Any = ours.send(path=path, method="GET").value
            its: Any = send(port, "", None, path, "GET").value
            for part, default in (("inputs", ""), ("outputs", "output-1")):
                for each, other in zip(mine[part], its[part], strict=True):
                    assert each["name"] == (default if other["name"] == "output-0" else other["name"])
                    assert (each["datatype"], each["shape"]) == (other["datatype"], other["shape"])
            for inputs in good[name]:
                body = json.dumps({"inputs": inputs})
                kind = "application/json"
                found = told(send(port, body, kind, f"{path}/infer", "POST"))
                assert told(ours.send(body, path=f"{path}/infer")) == found


def test_clients_of_others_are_answered(mlflow3_python: Path, scoring_models: Path, tmp_path: Path) -> None:
    more = {name: (mlflow3_python, scoring_models / name) for name in MODELS}
    script = Path(__file__).with_name("inference_client_script.py")
    with scoring_server(mlflow3_python, scoring_models / "plain", tmp_path / "log", more=more) as ours:
        done = subprocess.run(
            [mlserver_python(), script, str(ours.port)], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("refusal").startswith("[400] ")
    assert found == {
        "live": True,
        "ready": [True, True, False],
        "inputs": ["a", "b"],
        "id": "5",
        "shape": [2, 1],
        "table": True,
        "array": True,
    }
