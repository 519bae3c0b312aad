"""Reading what a run left on a tracking server, with the real `mlflow` client in its own environment."""

from __future__ import annotations

import atexit
import json
import subprocess
from functools import cache
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple

_TIMEOUT = 120.0

# By the environment: a 2.x client reads artifacts from there, whatever URI it was given.
_READER = """
import json, os, sys, tempfile, traceback
from mlflow import MlflowClient

answers, sys.stdout = sys.stdout, sys.stderr


def files(client, run_id, path=None):
    for entry in client.list_artifacts(run_id, path):
        if entry.is_dir:
            yield from files(client, run_id, entry.path)
        else:
            yield entry.path


def text(client, run_id, path):
    with tempfile.TemporaryDirectory() as folder:
        with open(client.download_artifacts(run_id, path, folder)) as file:
            return file.read()


def read_run(client, run_id):
    run = client.get_run(run_id)
    paths = sorted(files(client, run_id))
    return {
        "status": run.info.status,
        "ended": run.info.end_time is not None and run.info.end_time >= run.info.start_time,
        "experiment": client.get_experiment(run.info.experiment_id).name,
        "user": run.info.user_id,
        "name": run.info.run_name,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": run.data.tags,
        "artifacts": paths,
        "log": text(client, run_id, "logs/output.log") if "logs/output.log" in paths else "",
        "models": [f"{v.name}/{v.version}" for v in client.search_model_versions(f"run_id='{run_id}'")],
        "outputs": len(getattr(getattr(run, "outputs", None), "model_outputs", None) or []),
    }


def run_ids(client, name):
    experiment = client.get_experiment_by_name(name)
    return [run.info.run_id for run in client.search_runs([experiment.experiment_id])] if experiment else []


for line in sys.stdin:
    uri, question, argument = json.loads(line)
    os.environ["MLFLOW_TRACKING_URI"] = uri
    try:
        answer = {"answer": {"read_run": read_run, "run_ids": run_ids}[question](MlflowClient(), argument)}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
"""


class Recorded(NamedTuple):
    """A run as the client sees it."""

    status: str
    ended: bool
    experiment: str
    user: str
    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    artifacts: list[str]
    log: str
    models: list[str]
    outputs: int
    """How many logged models the run has as outputs (MLflow 3)."""


class _Reader:
    """A process that has the client imported, which takes seconds, and reads for all tests of this one."""

    def __init__(self, python: Path) -> None:
        argv = [str(python), "-c", _READER]
        self._process = subprocess.Popen(
            argv, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        atexit.register(self.close)

    def ask(self, uri: str, question: str, argument: str) -> Any:
        """The answer; AssertionError with what the client said where it fails or takes too long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = Timer(_TIMEOUT, self._process.kill)
        late.start()
        try:
            print(json.dumps([uri, question, argument]), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        finally:
            late.cancel()
        assert line, f"the client that reads has ended with {self._process.wait()}"
        document = json.loads(line)
        assert "answer" in document, document["error"]
        return document["answer"]

    def close(self) -> None:
        """End it; without this, it ends with the process that it reads for."""
        self._process.communicate()


_reader = cache(_Reader)


def read_run(python: Path, uri: str, run_id: str) -> Recorded:
    """The run, read by the mlflow client of `python`."""
    return Recorded(**_reader(python).ask(uri, "read_run", run_id))


def run_ids(python: Path, uri: str, experiment: str) -> list[str]:
    """The runs of an experiment, newest first; none where the experiment does not exist."""
    found: list[str] = _reader(python).ask(uri, "run_ids", experiment)
    return found
