"""The servers of the tests: real ones, that end when the last process that uses them has ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support.commands import run_command

pytestmark = pytest.mark.integration

CLIENT = """
import json, mlflow
mlflow.set_experiment("hello")
with mlflow.start_run() as run:
    mlflow.log_text("hello", "hello.txt")
text = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/hello.txt")
print(json.dumps({"version": mlflow.__version__, "text": text}))
"""


@pytest.mark.parametrize("line", ["2", "3"])
def test_a_real_client_reaches_the_server(line: str, request: pytest.FixtureRequest) -> None:
    python: Path = request.getfixturevalue(f"mlflow{line}_python")
    uri: str = request.getfixturevalue(f"mlflow{line}_server")
    done = run_command([python, "-c", CLIENT], environ={"MLFLOW_TRACKING_URI": uri}).check()
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["version"].startswith(f"{line}.")
    assert answer["text"] == "hello"


def test_the_server_ends_with_a_user_that_was_killed(tmp_path: Path, mlflow3_python: Path) -> None:
    user = f"""
from pathlib import Path
import time
from tests.support.servers import mlflow_server
with mlflow_server(Path({str(mlflow3_python)!r}), Path({str(tmp_path)!r})) as uri:
    print(uri, flush=True)
    time.sleep(600)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", user], cwd=root, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        uri = process.stdout.readline().strip()
        assert urlopen(f"{uri}/health", timeout=60).status == 200
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 120
    while _answers(uri):
        assert time.monotonic() < deadline, "the server still answers"
        time.sleep(0.1)
    assert not (tmp_path / "uri").exists()


def _answers(uri: str) -> bool:
    try:
        with urlopen(f"{uri}/health", timeout=5):
            return True
    except (URLError, OSError):
        return False
