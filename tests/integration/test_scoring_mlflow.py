"""Ours beside `mlflow models serve`: the same requests get the same answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.scoring_corpus import requests_for
from tests.support.scoring import Reply, scoring_server, send
from tests.support.servers import free_port

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


@pytest.mark.parametrize("model", ["sklearn", "plain", "every", "tensor", "tensors"])
def test_the_same_requests_get_the_same_answers(
    model: str, mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    folder = scoring_models / model
    requests = requests_for(model)
    differences = []
    with (
        mlflow_serving(mlflow3_python, folder, tmp_path / "mlflow.log") as port,
        scoring_server(mlflow3_python, folder, tmp_path / "log") as ours,
    ):
        for request in requests:
            mine = ours.send(*request)
            theirs = send(port, *request)
            if is_bare_failure(theirs):
                assert mine.status >= 400, request
            elif told(mine) != told(theirs):
                differences.append((request, told(theirs), told(mine)))
    assert differences == []
