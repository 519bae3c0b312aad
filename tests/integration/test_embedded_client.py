"""What scripts do with the real `mlflow` client while `projrun run` records in the embedded store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import run_projrun
from tests.support.projects import write_project

pytestmark = pytest.mark.integration

BEGIN = """
import os
import mlflow
own = os.environ["MLFLOW_RUN_ID"]
"""

LOGS_AND_READS = """
with mlflow.start_run() as run:
    assert run.info.run_id == own
    mlflow.log_param("a", 1)
    mlflow.log_metric("m", 1.5)
    with mlflow.start_run(nested=True) as nested:
        assert nested.data.tags["mlflow.parentRunId"] == own
        mlflow.log_metric("inner", 2)
    os.makedirs("out/sub", exist_ok=True)
    with open("out/sub/x.txt", "w") as file:
        file.write("text")
    mlflow.log_artifacts("out", "tree")
found = mlflow.search_runs(order_by=["metrics.inner DESC"])
assert list(found.run_id)[:2] == [nested.info.run_id, own], found
assert mlflow.artifacts.load_text(f"runs:/{own}/tree/sub/x.txt") == "text"
"""

WRITES_A_PATH = """
import mlflow.pyfunc
folder = mlflow.get_artifact_uri()
with open(os.path.join(folder, "report.txt"), "w") as file:
    file.write("as a path")
assert mlflow.artifacts.load_text(f"runs:/{own}/report.txt") == "as a path"
with mlflow.start_run(nested=True):
    os.makedirs(mlflow.get_artifact_uri("deep/er"))
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input
mlflow.pyfunc.log_model("model", python_model=Model(), registered_model_name="echo")
loaded = mlflow.pyfunc.load_model("models:/echo/1")
assert loaded.unwrap_python_model() is not None
"""

AUTOLOG = """
mlflow.sklearn.autolog(log_models=False)
from sklearn.linear_model import ElasticNet
ElasticNet(alpha=0.3).fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0])
"""

NEVER_STARTS = "mlflow.log_metric('m', 1)"
NEVER_ENDS = "mlflow.start_run(); mlflow.log_metric('m', 1); os._exit(0)"
ENDS_AS = "mlflow.start_run(); mlflow.end_run('%s')"
RAISES = "mlflow.start_run().__enter__(); raise SystemExit(3)"

Run = Callable[[str], "tuple[dict[str, Any], dict[str, Any]]"]


@pytest.fixture(params=["3", pytest.param("2", marks=pytest.mark.large)])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs a script; returns what `run --json` and what `runs show --json` say."""
    python: Path = request.getfixturevalue(f"mlflow{request.param}_python")
    environ = {"PROJRUN_HOME": str(tmp_path / "home")}

    def run(script: str) -> tuple[dict[str, Any], dict[str, Any]]:
        project = write_project(
            tmp_path / "project",
            f"entry_points: {{main: {{command: '{python} script.py'}}}}\n",
            script_py=BEGIN + script,
        )
        done = run_projrun("run", project, "--env-manager=local", "--json", environ=environ, timeout=120)
        said = json.loads(done.stdout)
        assert said["exit_code"] == done.returncode, done.stderr
        shown = run_projrun("runs", "show", said["run_id"], "--json", environ=environ).check()
        return said, json.loads(shown.stdout)

    return run


@pytest.mark.parametrize("run", ["3", "2"], indirect=True)
def test_a_script_logs_nests_and_reads(run: Run) -> None:
    said, recorded = run(LOGS_AND_READS)
    assert said["exit_code"] == 0
    assert recorded["status"] == "FINISHED"
    assert recorded["params"] == {"a": "1"}
    assert recorded["metrics"] == {"m": 1.5}
    paths = {artifact["path"] for artifact in recorded["artifacts"]}
    assert paths == {"tree/sub/x.txt", "logs/output.log"}


def test_a_script_writes_below_the_artifact_uri_as_a_path(run: Run, tmp_path: Path) -> None:
    said, recorded = run(WRITES_A_PATH)
    assert said["exit_code"] == 0
    paths = {artifact["path"] for artifact in recorded["artifacts"]}
    assert {"report.txt", "logs/output.log"} <= paths
    assert recorded["artifact_uri"].startswith("mlflow-artifacts:/")
    assert not list((tmp_path / "project").glob("mlflow*"))


def test_autologging_fills_the_run_of_the_project(run: Run) -> None:
    _, recorded = run(AUTOLOG)
    assert recorded["status"] == "FINISHED"
    assert recorded["params"]["alpha"] == "0.3"
    assert "training_r2_score" in recorded["metrics"]


@pytest.mark.parametrize(
    ("script", "code", "status"),
    [
        (NEVER_STARTS, 0, "FINISHED"),
        (NEVER_ENDS, 0, "FINISHED"),
        (ENDS_AS % "FAILED", 0, "FAILED"),
        # At once: what goes on after that is ended, as by `projrun cancel`.
        (ENDS_AS % "KILLED" + "; import os; os._exit(0)", 0, "KILLED"),
        (ENDS_AS % "FINISHED", 0, "FINISHED"),
        (RAISES, 3, "FAILED"),
    ],
)
def test_every_way_to_end(run: Run, script: str, code: int, status: str) -> None:
    said, recorded = run(script)
    assert (said["exit_code"], said["status"]) == (code, status)
    assert recorded["status"] == status
    assert recorded["end_time"] >= recorded["start_time"]
