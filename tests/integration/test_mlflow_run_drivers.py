"""Whole drivers with `mlflow.run`: steps in built environments, a driver in a driver, and what interrupts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.records import Recorded, read_run, run_ids
from tests.support.commands import projrun_argv, run_command
from tests.support.projects import write_project

pytestmark = pytest.mark.integration

FIVE = """
name: five
python_env: python_env.yaml
entry_points:
  main: {command: "python driver.py"}
  load: {parameters: {rows: float}, command: "python steps.py load {rows}"}
  etl: {parameters: {source: string}, command: "python steps.py etl {source}"}
  train: {parameters: {source: string, alpha: {type: float, default: 0.1}}, command: "python steps.py train {source} {alpha}"}
  evaluate: {parameters: {source: string}, command: "python steps.py evaluate {source}"}
  report: {parameters: {source: string, title: {type: string, default: "A plain title"}}, command: "python steps.py report {source} {title}"}
"""  # noqa: E501 - an MLproject file

ENVIRONMENT = f"""
python: "{sys.version_info.major}.{sys.version_info.minor}"
dependencies: ["mlflow-skinny>=3.17,<4"]
"""

# As the public ones are; MLflow's own runner would need pyenv for the environment.
FIVE_DRIVER = """
import os
import mlflow
from mlflow.tracking import MlflowClient


def step(name, **parameters):
    submitted = mlflow.run(".", name, parameters=parameters, env_manager=os.environ.get("MANAGER"))
    assert MlflowClient().get_run(submitted.run_id).info.status == "FINISHED"
    return submitted.run_id


with mlflow.start_run():
    source = step("load", rows=5)
    for name in os.environ["STEPS"].split():
        source = step(name, source=source)
"""

FIVE_STEPS = """
import sys
import mlflow
from mlflow.tracking import MlflowClient

name, given, *rest = sys.argv[1:]
with mlflow.start_run():
    if name == "load":
        rows = int(float(given))
    else:
        with open(MlflowClient().download_artifacts(given, "rows.txt")) as file:
            rows = int(file.read()) + 1
    mlflow.log_metric("rows", rows)
    with open("rows.txt", "w") as file:
        file.write(str(rows))
    mlflow.log_artifact("rows.txt")
    print(name, rows, *rest)
"""

DIFFERENT = {
    "mlflow.parentRunId": "another run",
    "mlflow.runName": "a random name",
    "mlflow.project.env": "recorded for local too, and of what was built",
}


def five(folder: Path) -> Path:
    return write_project(
        folder, FIVE, python_env_yaml=ENVIRONMENT, driver_py=FIVE_DRIVER, steps_py=FIVE_STEPS
    )


def records(python: Path, server: str, experiment: str) -> list[tuple[str, Recorded]]:
    """All runs of the experiment, the driver's first."""
    return [(one, read_run(python, server, one)) for one in reversed(run_ids(python, server, experiment))]


def tags(record: Recorded) -> dict[str, str]:
    return {
        name: text
        for name, text in record.tags.items()
        if not name.startswith("projrun.") and name not in DIFFERENT
    }


@pytest.mark.parametrize(
    "steps", ["etl report", pytest.param("etl train evaluate report", marks=pytest.mark.large)]
)
def test_steps_in_built_environments(
    tmp_path: Path, mlflow3_python: Path, mlflow3_server: str, steps: str
) -> None:
    """The records are those of `mlflow run --env-manager=local`, which builds nothing."""
    project = five(tmp_path / "project")
    environ = {
        "MLFLOW_TRACKING_URI": mlflow3_server,
        "PROJRUN_HOME": str(tmp_path / "home"),
        "STEPS": steps,
    }
    count = len(steps.split())
    names = [f"{whose}-{count}-steps" for whose in ("ours", "theirs")]
    words: list[str | Path] = ["run", project, "--experiment-name"]
    argv = [*projrun_argv(), *words, names[0], "--env-manager=uv"]
    done = run_command(argv, environ=environ, timeout=400).check()
    assert f"report {5 + count} A plain title\n" in done.stdout
    mlflow = mlflow3_python.parent / "mlflow"
    path = f"{mlflow3_python.parent}{os.pathsep}{os.environ['PATH']}"
    local = {**environ, "MANAGER": "local", "PATH": path}
    argv = [mlflow, *words, names[1], "--env-manager=local"]
    run_command(argv, environ=local, timeout=400).check()

    ours, theirs = (records(mlflow3_python, mlflow3_server, name) for name in names)
    assert len(ours) == len(theirs) == 2 + count
    for (_, our), (_, their) in zip(ours, theirs, strict=True):
        assert our.status == their.status == "FINISHED"
        assert our.metrics == their.metrics
        assert {name for name, text in our.params.items() if text != their.params.get(name)} <= {
            "source",
            "title",
        }
        assert our.params.keys() == their.params.keys()
        assert tags(our) == tags(their)
        assert set(their.artifacts) <= set(our.artifacts)
        assert our.tags["projrun.env_manager"] == "uv"
    for runs in (ours, theirs):
        assert {one.tags["mlflow.parentRunId"] for _, one in runs[1:]} == {runs[0][0]}
    listed = run_command([*projrun_argv(), "envs", "list", "--json"], environ=environ).check()
    assert len(json.loads(listed.stdout)["environments"]) == 1, "the steps found the driver's environment"


class Drivers:
    """Drivers without an environment of their own, on the embedded store."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "PROJRUN_HOME": str(folder / "home"),
            "PROJRUN_ENV_MANAGER": "local",
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "FOLDER": str(folder),
        }

    def write(self, name: str, body: str) -> Path:
        text = f"import os, mlflow\nFOLDER = os.environ['FOLDER']\n{body}"
        mlproject = "entry_points: {main: {command: 'python driver.py'}}\n"
        return write_project(self.folder / name, mlproject, driver_py=text)

    def start(self, project: Path) -> subprocess.Popen[bytes]:
        """In a process group of its own, as from a shell with job control."""
        argv: list[str | Path] = [*projrun_argv(), "run", project]
        return subprocess.Popen(argv, cwd=self.folder, env=self.environ, start_new_session=True)

    def until_there(self, name: str) -> None:
        deadline = time.monotonic() + 120
        while not (self.folder / name).exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def runs(self) -> list[dict[str, Any]]:
        """The oldest first."""
        done = run_command([*projrun_argv(), "runs", "list", "--json"], environ=self.environ).check()
        found: list[dict[str, Any]] = json.loads(done.stdout)["runs"]
        return found[::-1]


@pytest.fixture
def drivers(tmp_path: Path, mlflow3_python: Path) -> Drivers:
    return Drivers(tmp_path, mlflow3_python)


def waits(seconds: str) -> str:
    """A step that notes an interrupt; the number of seconds tells its process from all others."""
    return (
        "entry_points: {main: {command: \"trap 'touch $FOLDER/interrupted; exit 9' INT; "
        f'touch $FOLDER/started; sleep {seconds} & wait"}}}}\n'
    )


def sleeping(seconds: str) -> list[str]:
    """The processes that sleep for just that long."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", seconds.encode()]:
            found.append(file.parent.name)
    return found


def gone(seconds: str) -> bool:
    """Whether they are, soon."""
    deadline = time.monotonic() + 120
    while sleeping(seconds) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not sleeping(seconds)


def test_a_driver_in_a_driver(drivers: Drivers) -> None:
    write_project(drivers.folder / "step", "entry_points: {main: {command: 'echo innermost'}}\n")
    drivers.write("inner", "mlflow.run(FOLDER + '/step')\n")
    outer = drivers.write("outer", "mlflow.run(FOLDER + '/inner')\n")
    done = run_command([*projrun_argv(), "run", outer], environ=drivers.environ, timeout=200).check()
    assert done.stdout == "innermost\n"
    runs = drivers.runs()
    assert [run["status"] for run in runs] == ["FINISHED"] * 3
    shown = [
        json.loads(
            run_command([*projrun_argv(), "runs", "show", run["run_id"], "--json"], environ=drivers.environ)
            .check()
            .stdout
        )
        for run in runs
    ]
    assert [one["tags"].get("mlflow.parentRunId") for one in shown] == [
        None,
        runs[0]["run_id"],
        runs[1]["run_id"],
    ]


@pytest.mark.parametrize("synchronous", [True, False])
def test_ctrl_c_leaves_no_step(drivers: Drivers, synchronous: bool) -> None:
    seconds = f"{30_000 + os.getpid() % 10_000}.{int(synchronous)}"
    write_project(drivers.folder / "step", waits(seconds))
    driver = drivers.write("driver", f"mlflow.run(FOLDER + '/step', synchronous={synchronous})\n")
    process = drivers.start(driver)
    drivers.until_there("started")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert gone(seconds)
    assert (drivers.folder / "interrupted").exists(), "the step was interrupted, not terminated"
    assert [run["status"] for run in drivers.runs()] == ["KILLED", "KILLED"]


def test_a_driver_that_interrupts_itself_leaves_no_step(drivers: Drivers) -> None:
    seconds = f"{40_000 + os.getpid() % 10_000}"
    write_project(drivers.folder / "step", waits(seconds))
    body = """
import signal, threading, time
def interrupt():
    while not os.path.exists(FOLDER + "/started"):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
mlflow.run(FOLDER + "/step")
"""
    process = drivers.start(drivers.write("driver", body))
    assert process.wait(120) != 0
    assert gone(seconds)
    assert (drivers.folder / "interrupted").exists()
    assert [run["status"] for run in drivers.runs()] == ["FAILED", "KILLED"]


def test_a_runner_that_is_killed_leaves_no_step(drivers: Drivers) -> None:
    seconds = f"{50_000 + os.getpid() % 10_000}"
    write_project(drivers.folder / "step", waits(seconds))
    process = drivers.start(drivers.write("driver", "mlflow.run(FOLDER + '/step')\n"))
    drivers.until_there("started")
    process.kill()
    process.wait()
    assert gone(seconds)
    drivers.runs()
    deadline = time.monotonic() + 120
    while (states := {run["status"] for run in drivers.runs()}) != {"KILLED"}:
        assert time.monotonic() < deadline, states
        time.sleep(0.2)
