"""`mlflow.run` in a driver that projrun runs: the real mlflow calls projrun, and gets back what it would have made."""

from __future__ import annotations

import json
import os
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.integration.records import Recorded, read_run, run_ids
from tests.support.commands import Completed, projrun_argv, run_command
from tests.support.guard import REPOSITORY
from tests.support.projects import write_project

STEPS = """
name: steps
entry_points:
  main:
    parameters: {alpha: {type: float, default: 1}, name: {type: string, default: Ada}}
    command: "echo step {alpha} {name}"
  fails: {command: "exit 3"}
  slow: {parameters: {seconds: float}, command: "sleep {seconds}"}
"""

DRIVER = """
import json, os, sys
import mlflow
import mlflow.projects
from mlflow.projects import run as imported_run
from mlflow.exceptions import ExecutionException
from mlflow.tracking import MlflowClient

STEPS = os.environ["STEPS"]
found = {}
{body}
with open(os.environ["FOUND"], "w") as file:
    json.dump(found, file)
"""

THREE_NAMES = """
with mlflow.start_run() as outer:
    runs = [f(STEPS, parameters={"alpha": 0.5}) for f in (mlflow.run, mlflow.projects.run, imported_run)]
    with mlflow.start_run(nested=True) as inner:
        runs.append(mlflow.run(STEPS, run_name="five"))
assert all(isinstance(run, mlflow.projects.SubmittedRun) for run in runs)
records = [MlflowClient().get_run(run.run_id) for run in runs]
found = {
    "outer": outer.info.run_id,
    "inner": inner.info.run_id,
    "managers": [record.data.tags.get("projrun.env_manager") for record in records],
    "parents": [record.data.tags["mlflow.parentRunId"] for record in records],
    "statuses": [run.get_status() for run in runs] + [record.info.status for record in records],
    "params": [record.data.params for record in records],
    "name": records[-1].data.tags["mlflow.runName"],
}
"""

WITHOUT_WAITING = """
one = mlflow.run(STEPS, "slow", parameters={"seconds": 0.5}, synchronous=False)
found["running"] = one.get_status()
found["waited"] = [one.wait(), one.get_status(), one.exit_code]
other = mlflow.run(STEPS, "slow", parameters={"seconds": 60}, synchronous=False)
other.cancel()
found["cancelled"] = [other.get_status(), MlflowClient().get_run(other.run_id).info.status]
left = mlflow.run(STEPS, "slow", parameters={"seconds": 2}, synchronous=False)
found["left"] = left.run_id
"""

FAILURES = """
def failed(*args, **kwargs):
    try:
        mlflow.run(*args, **kwargs)
    except ExecutionException as error:
        return [str(error), error.exit_code, error.run_id]

found["fails"] = failed(STEPS, "fails")
found["status"] = MlflowClient().get_run(found["fails"][2]).info.status
found["unknown"] = failed(STEPS, "nope")
found["bad value"] = failed(STEPS, parameters={"alpha": "x"})
found["later"] = mlflow.run(STEPS, "fails", synchronous=False).wait()
try:
    mlflow.run(STEPS, colour="red")
except TypeError as error:
    found["argument"] = str(error)
"""

GIVEN_RUNS = """
from concurrent.futures import ThreadPoolExecutor

with mlflow.start_run() as outer:
    ids = []
    found["same"] = True
    for alpha in (1.0, 2.0, 3.0):
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("before", 1)
            parameters = {"alpha": alpha}
            run = mlflow.projects.run(
                STEPS, "main", parameters=parameters, run_id=child.info.run_id, synchronous=False
            )
            found["same"] = found["same"] and run.wait() and run.run_id == child.info.run_id
            ids.append(run.run_id)
    with ThreadPoolExecutor(3) as pool:
        threads = list(pool.map(lambda alpha: mlflow.run(STEPS, parameters={"alpha": alpha}), (1, 2, 3)))
found["outer"] = outer.info.run_id
found["threads"] = [run.get_status() for run in threads]
runs = [MlflowClient().get_run(one) for one in ids]
found["records"] = [
    [run.info.status, run.data.tags["mlflow.parentRunId"], run.data.params, run.data.metrics] for run in runs
]
"""

NOT_OURS = """
import importlib
from unittest import mock
from mlflow.projects.backend.local import LocalBackend

def theirs(*args, **kwargs):
    with mock.patch.object(LocalBackend, "run", side_effect=RuntimeError("MLflow's own")):
        try:
            mlflow.run(*args, **kwargs)
        except RuntimeError as error:
            return str(error)
        except ExecutionException as error:
            return str(error)

found["ours"] = theirs(STEPS, env_manager="local")
os.environ["PROJRUN_MLFLOW_RUN"] = "off"
found["off"] = theirs(STEPS, env_manager="local")
del os.environ["PROJRUN_MLFLOW_RUN"]
found["other backend"] = theirs(STEPS, backend="nowhere", env_manager="local")
mlflow.set_tracking_uri("sqlite:///" + os.environ["FOUND"] + ".db")
found["other store"] = theirs(STEPS, env_manager="local")
"""


class Bench:
    """A project with a driver, for the mlflow of some Python."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self.python = python
        self.environ = {
            "PROJRUN_HOME": str(folder / "home"),
            "STEPS": str(write_project(folder / "steps", STEPS)),
            "FOUND": str(folder / "found.json"),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        }

    def drive(self, body: str, *options: str, command: str = "python driver.py") -> Completed:
        text = DRIVER.replace("{body}", body)
        project = write_project(
            self.folder / "driver", f"entry_points: {{main: {{command: '{command}'}}}}\n", driver_py=text
        )
        argv: list[str | Path] = [*projrun_argv(), "run", project, "--env-manager=local", *options]
        return run_command(argv, cwd=self.folder, environ=self.environ, timeout=300)

    def found(self) -> Any:
        return json.loads(Path(self.environ["FOUND"]).read_text(encoding="utf-8"))


@pytest.fixture(params=["3", pytest.param("2", marks=pytest.mark.large)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """For both lines of mlflow."""
    return Bench(tmp_path, request.getfixturevalue(f"mlflow{request.param}_python"))


@pytest.fixture
def bench3(mlflow3_python: Path, tmp_path: Path) -> Bench:
    """For MLflow 3 alone."""
    return Bench(tmp_path, mlflow3_python)


@pytest.mark.parametrize("line", ["3", *(pytest.param(line, marks=pytest.mark.large) for line in ("2", "1"))])
def test_all_its_names_run_projrun(line: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    bench = Bench(tmp_path, request.getfixturevalue(f"mlflow{line}_python"))
    done = bench.drive(THREE_NAMES).check()
    found = bench.found()
    assert found["managers"] == ["local"] * 4
    assert found["parents"] == [found["outer"]] * 3 + [found["inner"]]
    assert set(found["statuses"]) == {"FINISHED"}
    assert found["params"][0] == {"alpha": "0.5", "name": "Ada"}
    assert found["name"] == "five"
    assert done.stdout.count("step 0.5 Ada") == 3
    assert done.stderr.count("succeeded ===") == 4


def test_without_waiting(bench: Bench) -> None:
    bench.drive(WITHOUT_WAITING).check()
    found = bench.found()
    assert found["running"] == "RUNNING"
    assert found["waited"] == [True, "FINISHED", 0]
    assert found["cancelled"] == ["KILLED", "KILLED"]
    left = run_command([*projrun_argv(), "runs", "show", found["left"], "--json"], environ=bench.environ)
    assert json.loads(left.check().stdout)["status"] == "FINISHED", "the driver waits for it at its end"


def test_failures_are_mlflow_s_exceptions(bench: Bench) -> None:
    bench.drive(FAILURES).check()
    found = bench.found()
    run_id = found["fails"][2]
    assert found["fails"] == [f"Run (ID '{run_id}') failed: exit code 3", 3, run_id]
    assert found["status"] == "FAILED"
    assert found["unknown"][0].startswith("unknown entry point 'nope'")
    assert found["unknown"][1:] == found["bad value"][1:] == [2, None]
    assert found["later"] is False
    assert "colour" in found["argument"]


def test_a_nested_run_is_given_to_a_step(bench3: Bench) -> None:
    """As MLflow's own example of hyperparameters does it, here in threads."""
    bench3.drive(GIVEN_RUNS).check()
    found = bench3.found()
    assert found["same"]
    assert found["records"] == [
        ["FINISHED", found["outer"], {"alpha": alpha, "name": "Ada"}, {"before": 1.0}]
        for alpha in ("1.0", "2.0", "3.0")
    ]
    assert found["threads"] == ["FINISHED"] * 3


def test_a_failure_that_is_not_caught_fails_the_driver(bench3: Bench) -> None:
    done = bench3.drive("mlflow.run(STEPS, 'fails')")
    assert done.returncode == 1
    assert "ExecutionException: Run (ID" in done.stderr


def test_what_stays_mlflow_s(bench: Bench) -> None:
    bench.drive(NOT_OURS).check()
    found = bench.found()
    assert found["ours"] is None
    assert found["off"] == found["other store"] == "MLflow's own"
    assert "nowhere" in found["other backend"]


def test_its_command_line_stays_mlflow_s(bench: Bench) -> None:
    done = bench.drive("", command='python -m mlflow run --env-manager=local "$STEPS"').check()
    assert "projrun_mlflow_run" not in done.stderr
    assert "=== Running command 'echo step" in done.stderr


def test_it_is_switched_off_in_config_toml(bench3: Bench) -> None:
    home = Path(bench3.environ["PROJRUN_HOME"])
    home.mkdir()
    (home / "config.toml").write_text("mlflow-run = false\n")
    bench3.environ |= {"PROJRUN_LOG": "off"}  # else that is on the path
    bench3.drive(
        "found = {'module': mlflow.run.__code__.co_filename, 'path': os.environ.get('PYTHONPATH')}"
    ).check()
    assert bench3.found()["module"].endswith("mlflow/projects/__init__.py")
    assert bench3.found()["path"] is None


def test_the_record_is_the_one_of_mlflow_run(bench: Bench, request: pytest.FixtureRequest) -> None:
    """On a server, beside the same call without projrun."""
    line = "3" if "mlflow3" in str(bench.python) else "2"
    server: str = request.getfixturevalue(f"mlflow{line}_server")
    body = """
with mlflow.start_run() as outer:
    run = mlflow.run(STEPS, parameters={"alpha": 0.5, "name": "A b"}, env_manager="local", run_name="five")
found = {"run": run.run_id, "parent": outer.info.run_id}
"""
    bench.environ |= {"MLFLOW_TRACKING_URI": server, "MLFLOW_EXPERIMENT_NAME": "redirected"}
    records = []
    bench.drive(body).check()
    records.append((read_run(bench.python, server, bench.found()["run"]), bench.found()["parent"]))
    run_command(
        [bench.python, "driver/driver.py"], cwd=bench.folder, environ=bench.environ, timeout=300
    ).check()
    records.append((read_run(bench.python, server, bench.found()["run"]), bench.found()["parent"]))
    (ours, our_parent), (theirs, their_parent) = records
    assert ours.tags["mlflow.parentRunId"] == our_parent
    assert theirs.tags["mlflow.parentRunId"] == their_parent
    for one in (ours, theirs):
        assert (one.status, one.experiment, one.name) == ("FINISHED", "redirected", "five")
        assert one.params["alpha"] == "0.5"
    assert ours.user == theirs.user
    different = {"mlflow.parentRunId", "mlflow.project.env"}  # MLflow sets no `.env` for `local`

    def tags(all_tags: dict[str, str]) -> dict[str, str]:
        return {
            name: text
            for name, text in all_tags.items()
            if not name.startswith("projrun.") and name not in different
        }

    assert tags(ours.tags) == tags(theirs.tags)


def test_a_driver_that_chooses_another_server(bench3: Bench, mlflow3_server: str) -> None:
    """The step is recorded where the driver's mlflow records now, below its active run."""
    body = """
mlflow.set_tracking_uri(os.environ["SERVER"])
os.environ.pop("MLFLOW_RUN_ID", None)
mlflow.set_experiment("elsewhere")
with mlflow.start_run() as outer:
    inner = mlflow.run(STEPS)
alone = mlflow.run(STEPS)
found = {"outer": outer.info.run_id, "inner": inner.run_id, "alone": alone.run_id}
"""
    bench3.environ["SERVER"] = mlflow3_server
    bench3.drive(body).check()
    found = bench3.found()
    inner, alone = (read_run(bench3.python, mlflow3_server, found[name]) for name in ("inner", "alone"))
    assert inner.tags["mlflow.parentRunId"] == found["outer"]
    assert "mlflow.parentRunId" not in alone.tags
    assert (inner.experiment, alone.experiment) == ("elsewhere", "elsewhere")


class Beside:
    """mlflow and projrun in one environment: what both need comes from projrun's."""

    def __init__(self, folder: Path, python: Path, server: str) -> None:
        self.python = python
        packages = [str(REPOSITORY), str(REPOSITORY / "backends"), sysconfig.get_path("purelib")]
        self.steps = write_project(folder / "steps", STEPS)
        self.environ = {
            "PROJRUN_HOME": str(folder / "home"),
            "PYTHONPATH": os.pathsep.join(packages),
            "MLFLOW_TRACKING_URI": server,
            "MLFLOW_EXPERIMENT_NAME": f"beside-{folder.name}",
        }

    def mlflow_run(self, *words: str) -> Completed:
        argv: list[str | Path] = [self.python, "-m", "mlflow", "run", "-b", "projrun", *words, self.steps]
        return run_command(argv, environ=self.environ, timeout=300)

    def record(self) -> Recorded:
        """The newest run."""
        server, experiment = self.environ["MLFLOW_TRACKING_URI"], self.environ["MLFLOW_EXPERIMENT_NAME"]
        return read_run(self.python, server, run_ids(self.python, server, experiment)[0])


@pytest.fixture
def beside(tmp_path: Path, mlflow3_python: Path, mlflow3_server: str) -> Beside:
    return Beside(tmp_path, mlflow3_python, mlflow3_server)


def test_mlflow_run_has_a_backend_projrun(beside: Beside) -> None:
    done = beside.mlflow_run("--env-manager=local", "-P", "alpha=0.5", "-P", "name=A b").check()
    assert done.stdout == "step 0.5 A b\n"
    record = beside.record()
    assert (record.status, record.params) == ("FINISHED", {"alpha": "0.5", "name": "A b"})
    assert record.tags["mlflow.project.backend"] == "projrun"
    assert record.tags["projrun.env_manager"] == "local"
    assert record.log == done.stdout


def test_a_step_that_fails_there_fails_mlflow_run(beside: Beside) -> None:
    done = beside.mlflow_run("--env-manager=local", "-e", "fails")
    assert done.returncode == 1
    assert "failed: exit code 3 ===" in done.stderr
    assert beside.record().status == "FAILED"


def test_the_backend_needs_a_server(beside: Beside, tmp_path: Path) -> None:
    beside.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{tmp_path}/mlflow.db"
    done = beside.mlflow_run("--env-manager=local")
    assert done.returncode == 1
    assert "=== projrun records on http(s) servers alone; set a tracking URI" in done.stderr
