"""One script calls all of MlflowClient and the fluent API: our server, on both engines, answers as `mlflow server`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import PostgresServer
from tests.support.program import Program, projrun_server
from tests.support.servers import mlflow_server
from tests.support.virtualenvs import MLFLOW3, built_environment

pytestmark = pytest.mark.integration

CLIENT = Path(__file__).with_name("client_script.py")
BOOSTED = Path(__file__).with_name("boosted_script.py")
NETWORKS = Path(__file__).with_name("networks_script.py")

DIFFERENT: dict[str, str] = {}
"""Labels of calls that are answered otherwise, with the reason."""


@pytest.fixture
def ours(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The addresses of `projrun server`, by engine."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(_server(tmp_path / name, backend)).uri
            for name, backend in (("SQLite", None), ("PostgreSQL", postgres_server.uri()))
        }


def _server(folder: Path, backend: str | None) -> AbstractContextManager[Program]:
    folder.mkdir()
    options = ("--backend-store-uri", backend) if backend else ()
    return projrun_server(folder, *options)


def _start(python: Path, script: list[str], uri: str, folder: Path) -> subprocess.Popen[str]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1",
    }
    argv = [str(python), "-W", "ignore", *script]
    return subprocess.Popen(
        argv, env=environ, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _answers(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors[-4000:]
    line = next(line for line in output.splitlines() if line.startswith('{"'))
    answers: dict[str, Any] = json.loads(line)
    return answers


def _compared(python: Path, script: Path, ours: dict[str, str], folder: Path, *words: str) -> dict[str, Any]:
    """What a script sees of `mlflow server`; of ours, at the same time, it must see the same."""
    with mlflow_server(python, folder / "theirs") as uri:
        servers = {**ours, "mlflow": uri}
        processes = {
            name: _start(python, [str(script), *words], each, folder) for name, each in servers.items()
        }
        answers = {name: _answers(process) for name, process in processes.items()}
    theirs = answers.pop("mlflow")
    for name, own in answers.items():
        assert own.keys() == theirs.keys(), name
        different = {label: (theirs[label], own[label]) for label in own if own[label] != theirs[label]}
        assert different.keys() == DIFFERENT.keys(), (name, different)
    return theirs


@pytest.mark.parametrize("line", ["3", pytest.param("2", marks=pytest.mark.large)])
def test_clients_see_the_same(
    line: str, ours: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    python: Path = request.getfixturevalue(f"mlflow{line}_python")
    assert _compared(python, CLIENT, ours, tmp_path)["not called"] == []


@pytest.mark.large
def test_autolog_of_boosted_trees_is_the_same(ours: dict[str, str], tmp_path: Path) -> None:
    python = built_environment("boosted", (*MLFLOW3, "xgboost>=3,<4", "lightgbm>=4,<5"))
    seen = _compared(python, BOOSTED, ours, tmp_path)
    assert {name: sorted(one["metrics"]) for name, one in seen.items()} == {
        "lightgbm": ["train-multi_logloss"],
        "xgboost": ["train-mlogloss"],
    }


@pytest.mark.large
@pytest.mark.parametrize(
    ("packages", "words"),
    [(("keras>=3,<4", "jax"), ("keras",)), (("torch>=2", "lightning>=2"), ("torch", "lightning"))],
)
def test_networks_are_logged_the_same(
    packages: tuple[str, ...], words: tuple[str, ...], ours: dict[str, str], tmp_path: Path
) -> None:
    python = built_environment(words[0], (*MLFLOW3, *packages), timeout=3000)
    seen = _compared(python, NETWORKS, ours, tmp_path, *words)
    for name, one in seen.items():
        assert one["versions"] == [["1", "Production"]], name
        assert len(one["predicted"]["@best"]) == 5, name
        assert any(len(points) == 3 for points in one["history"].values()), name
