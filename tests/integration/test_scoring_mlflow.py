"""Ours beside `mlflow models serve`: the same requests get the same answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.scoring_corpus import Request, requests_for
from tests.support.scoring import Reply, Scoring, scoring_server, send
from tests.support.servers import free_port
from tests.support.virtualenvs import built_environment

pytestmark = [pytest.mark.integration, pytest.mark.together("scoring models")]


@contextmanager
def mlflow_serving(python: Path, model: Path, log: Path) -> Iterator[int]:
    """The port of MLflow's own server of a model."""
    port = free_port()
    words = ("-m", "mlflow", "models", "serve", "--env-manager", "local", "-p", str(port), "-m", model)
    command: list[str | Path] = [python, *words]
    environ = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait_for(port, process, log)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if send(port, b"", None, "/ping", "GET").status == 200:
                return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.05)


def is_bare_failure(reply: Reply) -> bool:
    """MLflow's server fell over the request; ours says what failed, in MLflow's shape of an error."""
    return (reply.status, reply.body) == (500, b"Internal Server Error")


def told(reply: Reply) -> tuple[int, str, object]:
    """What has to be the same: all but a trace, which names files of the server, and the order of a set in a text."""
    body: Any = reply.body.decode()
    if reply.headers["content-type"] == "application/json" and body.startswith("{"):
        body = json.loads(body, parse_constant=str)
        body.pop("stack_trace", None)
        message = body.get("message", "")
        body["message"] = re.sub(r"\{('[\w]+'(?:, )?)+\}", lambda found: str(sorted(found[0])), message)
    return reply.status, reply.headers["content-type"], body


@pytest.fixture(scope="session")
def without_mlflow(mlflow3_python: Path) -> Path:
    """A Python with what models need, in the versions that are beside MLflow 3, and no MLflow."""
    ask = "import sys; from importlib.metadata import version; print(*(f'{n}=={version(n)}' for n in sys.argv[1:]))"
    packages = ("numpy", "pandas", "pyarrow", "scikit-learn", "skops", "cloudpickle")
    told = subprocess.run([mlflow3_python, "-c", ask, *packages], check=True, capture_output=True, text=True)
    return built_environment("without-mlflow", tuple(told.stdout.split()))


def differences(requests: Sequence[Request], theirs: Sequence[Reply], ours: Scoring) -> list[object]:
    """The requests that ours answers in another way, with both answers."""
    found: list[object] = []
    for request, reply in zip(requests, theirs, strict=True):
        mine = ours.send(*request)
        if is_bare_failure(reply):
            assert mine.status >= 400, request
        elif told(mine) != told(reply):
            found.append((request, told(reply), told(mine)))
    return found


MODELS = ("sklearn", "custom", "every", "nested", "tensors")
FURTHER = ("plain", "tensor", "pickled", "unnamed", "text", "given")


@pytest.mark.parametrize(
    "model", [*MODELS, *(pytest.param(name, marks=pytest.mark.large) for name in FURTHER)]
)
def test_the_same_requests_get_the_same_answers(
    model: str, mlflow3_python: Path, without_mlflow: Path, scoring_models: Path, tmp_path: Path
) -> None:
    folder = scoring_models / model
    requests = requests_for(model)
    with mlflow_serving(mlflow3_python, folder, tmp_path / "mlflow.log") as port:
        theirs = [send(port, *request) for request in requests]
    for python in (mlflow3_python, without_mlflow)[: 1 if model == "custom" else 2]:
        with scoring_server(python, folder, tmp_path / "log") as ours:
            assert differences(requests, theirs, ours) == []
