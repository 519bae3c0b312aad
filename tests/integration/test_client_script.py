"""One script calls all of MlflowClient and the fluent API: against our server and a real one, with the same answers."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore
from tests.support.servers import mlflow_server

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("client_script.py")

DIFFERENT: dict[str, str] = {}
"""Labels of calls that are answered otherwise, with the reason."""


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[str]:
    """Our server, as a client that does not see its files."""
    with Endpoint.open(lambda: SqlStore.open(tmp_path / "projrun.db")) as endpoint:
        yield endpoint.uri_at("127.0.0.1")


def _start(python: Path, uri: str, folder: Path) -> subprocess.Popen[str]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1",
    }
    argv = [str(python), "-W", "ignore", str(SCRIPT)]
    return subprocess.Popen(
        argv, env=environ, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _answers(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors[-4000:]
    line = next(line for line in output.splitlines() if line.startswith('{"'))
    answers: dict[str, Any] = json.loads(line)
    return answers


@pytest.mark.parametrize("line", ["3", pytest.param("2", marks=pytest.mark.large)])
def test_clients_see_the_same(line: str, ours: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    python: Path = request.getfixturevalue(f"mlflow{line}_python")
    with mlflow_server(python, tmp_path / "theirs") as uri:
        processes = [_start(python, each, tmp_path) for each in (ours, uri)]
        own, theirs = (_answers(process) for process in processes)
    assert own["not called"] == theirs["not called"] == []
    assert own.keys() == theirs.keys()
    different = {name: (theirs[name], own[name]) for name in own if own[name] != theirs[name]}
    assert different.keys() == DIFFERENT.keys(), {
        name: pair for name, pair in different.items() if name not in DIFFERENT
    }
