"""The growing log at a real MLflow server: seen while the command runs, whole at the end."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import projrun
from projrun.running import session
from projrun.tracking.rest.store import RestStore
from tests.support.projects import write_project

# Ends when it has seen its own first line on the server.
SEES_ITSELF = """
import os, sys, time
from urllib.request import urlopen

print("early", flush=True)
base, run_id = os.environ["MLFLOW_TRACKING_URI"], os.environ["MLFLOW_RUN_ID"]
address = f"{base}/get-artifact?path=logs/output.log&run_uuid={run_id}"
for _ in range(200):
    try:
        with urlopen(address, timeout=60) as answer:
            sys.stdout.write(answer.read().decode())
            break
    except OSError:
        time.sleep(0.1)
print("late")
"""


def log_of(uri: str, run_id: str, folder: Path) -> str:
    with closing(RestStore(uri, {})) as store:
        repository = store.artifacts(store.get_run(run_id).artifact_uri)
        return repository.download("logs/output.log", folder).read_text()


def test_others_follow_the_log_on_the_server(
    tmp_path: Path, mlflow3_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = mlflow3_server
    monkeypatch.setattr(session, "_LONG", 0.1)
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    mlproject = f"entry_points: {{main: {{command: '{sys.executable} -S see.py'}}}}"
    project = write_project(tmp_path / "project", mlproject, see_py=SEES_ITSELF)
    done = projrun.run(str(project), env_manager="local", tracking_uri=uri)
    assert log_of(uri, done.run_id, tmp_path / "log") == "early\nearly\nlate\n"


@pytest.mark.parametrize("line", ["2", "3"])
def test_the_last_upload_counts_after_one_that_was_cut(
    tmp_path: Path, line: str, request: pytest.FixtureRequest
) -> None:
    """MLflow 2 keeps what it got of an upload that was cut; the last one comes later, and is longer."""
    uri: str = request.getfixturevalue(f"mlflow{line}_server")
    whole = tmp_path / "output.log"
    whole.write_bytes(b"y" * 3_000_000)
    with closing(RestStore(uri, {})) as store:
        run = store.create_run("0", start_time=1)
        repository = store.artifacts(run.artifact_uri)
        cut_upload(uri, f"{urlsplit(run.artifact_uri).path.lstrip('/')}/logs/output.log")
        repository.upload(whole, "logs/output.log")
        time.sleep(1)
        (file,) = repository.list("logs")
    assert file.size == 3_000_000


def cut_upload(uri: str, path: str) -> None:
    """A third of an upload."""
    host, _, port = urlsplit(uri).netloc.partition(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"PUT /api/2.0/mlflow-artifacts/artifacts/{path} HTTP/1.1"
        lines = (head, f"Host: {host}", "Content-Length: 3000000", "", "")
        connection.sendall("\r\n".join(lines).encode() + b"x" * 1_000_000)
