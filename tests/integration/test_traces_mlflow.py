"""Traces by the real client of MLflow 3: the same script against the endpoint and against MLflow's own server.

Clients of 2.22 cannot trace with today's OpenTelemetry; their routes are in tests/server/test_traces.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("trace_script.py")


def traced(python: Path, uri: str) -> Any:
    """What the script finds."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "EXPERIMENT": f"traces-{uuid.uuid4().hex}",
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [python, "-W", "ignore", SCRIPT], env=environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "Failed to" not in done.stderr
    return json.loads(done.stdout[done.stdout.index('{"states"') :])


def test_traces_are_those_of_mlflows_server(
    mlflow3_python: Path, mlflow3_server: str, tmp_path: Path
) -> None:
    database = tmp_path / "home" / "projrun.db"
    SqlStore.open(database).close()
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        ours = traced(mlflow3_python, endpoint.uri)
    assert ours["states"] == ["ERROR", "OK", "OK"]
    assert ours == traced(mlflow3_python, mlflow3_server)
