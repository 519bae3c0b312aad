"""Reading what a run left on a tracking server, with the real `mlflow` client in its own environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.commands import run_command

_READER = """
import json, sys
from mlflow import MlflowClient

client = MlflowClient()
run = client.get_run(sys.argv[1])


def files(path=None):
    for entry in client.list_artifacts(run.info.run_id, path):
        if entry.is_dir:
            yield from files(entry.path)
        else:
            yield entry.path


def text(path):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        with open(client.download_artifacts(run.info.run_id, path, folder)) as file:
            return file.read()


paths = sorted(files())
json.dump(
    {
        "status": run.info.status,
        "ended": run.info.end_time is not None and run.info.end_time >= run.info.start_time,
        "experiment": client.get_experiment(run.info.experiment_id).name,
        "user": run.info.user_id,
        "name": run.info.run_name,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": run.data.tags,
        "artifacts": paths,
        "log": text("logs/output.log") if "logs/output.log" in paths else "",
        "models": [f"{v.name}/{v.version}" for v in client.search_model_versions(f"run_id='{run.info.run_id}'")],
        "outputs": len(getattr(getattr(run, "outputs", None), "model_outputs", None) or []),
    },
    sys.stdout,
)
"""

_RUN_IDS = """
import json, sys
from mlflow import MlflowClient

client = MlflowClient()
experiment = client.get_experiment_by_name(sys.argv[1])
runs = client.search_runs([experiment.experiment_id]) if experiment else []
json.dump([run.info.run_id for run in runs], sys.stdout)
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


def read_run(python: Path, uri: str, run_id: str) -> Recorded:
    """The run, read by the mlflow client of `python`."""
    return Recorded(**_read(python, uri, _READER, run_id))


def run_ids(python: Path, uri: str, experiment: str) -> list[str]:
    """The runs of an experiment, newest first; none where the experiment does not exist."""
    found: list[str] = _read(python, uri, _RUN_IDS, experiment)
    return found


def _read(python: Path, uri: str, script: str, argument: str) -> Any:
    # By the environment: a 2.x client reads artifacts from there, whatever URI it was given.
    done = run_command([python, "-c", script, argument], environ={"MLFLOW_TRACKING_URI": uri}).check()
    return json.loads(done.stdout)
