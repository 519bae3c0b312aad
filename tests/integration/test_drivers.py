"""Drivers that use the real `mlflow` beside `projrun.run`: the active run is the parent, its server the store."""

from __future__ import annotations

import json
import os
import sysconfig
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.tracking.sql.store import SqlStore
from tests.integration.records import Recorded, read_run
from tests.support.commands import run_command, run_projrun
from tests.support.guard import REPOSITORY
from tests.support.projects import write_project

pytestmark = pytest.mark.integration

# After mlflow's own: what both need, mlflow's environment has in the version that mlflow wants.
PACKAGES = [str(REPOSITORY), str(REPOSITORY / "backends"), sysconfig.get_path("purelib")]
STEP = "entry_points: {main: {command: 'echo step'}}\n"

DRIVER = f"""
import json, os, sys
sys.path += {PACKAGES!r}
import mlflow
import mlflow.projects
import projrun

print("started", file=sys.stderr)
{{body}}
json.dump(found, open(os.environ["FOUND"], "w"))
"""

SAME_AS_MLFLOW = """
mlflow.set_tracking_uri(os.environ["SERVER"])
mlflow.set_experiment(os.environ["EXPERIMENT"])
with mlflow.start_run() as outer:
    with mlflow.start_run(nested=True) as inner:
        theirs = mlflow.projects.run(os.environ["STEP"], env_manager="local").run_id
        ours = projrun.run(os.environ["STEP"], env_manager="local").run_id
        assert mlflow.active_run().info.run_id == inner.info.run_id
found = {"parent": inner.info.run_id, "theirs": theirs, "ours": ours}
"""

NO_ACTIVE_RUN = """
mlflow.set_tracking_uri(os.environ["SERVER"])
with mlflow.start_run() as ended:
    pass
found = {"alone": projrun.run(os.environ["STEP"], env_manager="local").run_id}
"""

INSIDE_A_PROJECT = """
with mlflow.start_run() as resumed:
    first = projrun.run(os.environ["STEP"], env_manager="local").run_id
    with mlflow.start_run(nested=True) as nested:
        second = projrun.run(os.environ["STEP"], env_manager="local").run_id
runs = {run_id: mlflow.get_run(run_id) for run_id in (first, second)}
found = {
    "own": os.environ["PROJRUN_PARENT_RUN_ID"],
    "resumed": resumed.info.run_id,
    "nested": nested.info.run_id,
    "parents": [run.data.tags["mlflow.parentRunId"] for run in runs.values()],
    "statuses": [run.info.status for run in runs.values()],
}
"""


class Driver:
    """A script for mlflow's own interpreter, with a step to run."""

    def __init__(self, folder: Path, python: Path, server: str, body: str) -> None:
        self.folder = folder
        self.python = python
        self.file = folder / "driver.py"
        self.file.write_text(DRIVER.format(body=body), encoding="utf-8")
        self.environ = {
            "SERVER": server,
            "EXPERIMENT": f"drivers-{folder.name}",
            "STEP": str(write_project(folder / "step", STEP)),
            "FOUND": str(folder / "found.json"),
            "PROJRUN_HOME": str(folder / "home"),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self) -> Any:
        run_command([self.python, self.file], cwd=self.folder, environ=self.environ, timeout=300).check()
        return self.found()

    def found(self) -> Any:
        return json.loads(Path(self.environ["FOUND"]).read_text(encoding="utf-8"))


def test_the_parent_the_store_and_the_experiment_are_those_of_mlflow(
    tmp_path: Path, mlflow3_python: Path, mlflow3_server: str
) -> None:
    driver = Driver(tmp_path, mlflow3_python, mlflow3_server, SAME_AS_MLFLOW)
    found = driver.run()

    def read(name: str) -> Recorded:
        return read_run(mlflow3_python, mlflow3_server, found[name])

    ours, theirs = read("ours"), read("theirs")
    assert ours.tags["mlflow.parentRunId"] == theirs.tags["mlflow.parentRunId"] == found["parent"]
    assert ours.experiment == theirs.experiment == driver.environ["EXPERIMENT"]
    assert ours.status == theirs.status == "FINISHED"
    assert not (tmp_path / "home" / "projrun.db").exists(), "the embedded store was not asked for"


def test_a_run_that_has_ended_is_no_parent(tmp_path: Path, mlflow3_python: Path, mlflow3_server: str) -> None:
    found = Driver(tmp_path, mlflow3_python, mlflow3_server, NO_ACTIVE_RUN).run()
    recorded = read_run(mlflow3_python, mlflow3_server, found["alone"])
    assert recorded.status == "FINISHED"
    assert "mlflow.parentRunId" not in recorded.tags


@pytest.mark.parametrize("line", ["3", pytest.param("2", marks=pytest.mark.large)])
def test_inside_a_project_the_active_run_goes_before_the_project_s(
    line: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The embedded store: the driver's steps reach it through the endpoint of the driver's own run."""
    python: Path = request.getfixturevalue(f"mlflow{line}_python")
    driver = Driver(tmp_path, python, "", INSIDE_A_PROJECT)
    project = write_project(
        tmp_path / "project", f"entry_points: {{main: {{command: '{python} {driver.file}'}}}}\n"
    )
    run_projrun("run", project, "--env-manager=local", environ=driver.environ, timeout=300).check()
    found = driver.found()
    assert found["resumed"] == found["own"]
    assert found["parents"] == [found["own"], found["nested"]]
    assert found["statuses"] == ["FINISHED", "FINISHED"]


# MLflow's hyperparameter example: the driver opens the runs, the steps continue them.
CONTINUES = """
mlflow.set_tracking_uri(os.environ["SERVER"])
mlflow.set_experiment(os.environ["EXPERIMENT"])


def steps(run):
    with mlflow.start_run() as outer:
        with mlflow.start_run(nested=True) as inner:
            mlflow.log_param("duration", 1.0)
            mlflow.set_tag("own", "kept")
            given = {"duration": 1, "alpha": 0.5}
            job = run(os.environ["STEP"], "main", parameters=given, run_id=inner.info.run_id,
                      env_manager="local", synchronous=False)
            assert job.wait() is True
            assert job.run_id == inner.info.run_id
    return {"outer": outer.info.run_id, "inner": inner.info.run_id}


theirs = steps(mlflow.projects.run)
os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[-3:])  # for the process that executes our run
found = {"theirs": theirs, "ours": steps(projrun.run)}
"""

OF_MLFLOWS_STORE = """
import warnings

os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[-3:])  # for the process that executes our run
mlflow.set_experiment("theirs")
with mlflow.start_run() as active, warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    mlflow.log_text("content", "file.txt")
    runs = [projrun.run(os.environ["STEP"], env_manager="local", synchronous=which) for which in (True, False)]
    assert runs[1].wait()
    try:
        uri = f"runs:/{active.info.run_id}/file.txt"
        projrun.run(os.environ["READER"], parameters={"data": uri}, env_manager="local")
    except projrun.SourceError as error:
        refused = error.message
found = {
    "active": active.info.run_id,
    "store": mlflow.get_tracking_uri(),
    "runs": [run.run_id for run in runs],
    "warnings": [str(one.message) for one in caught if "projrun" in one.filename],
    "refused": refused,
}
"""


def test_a_step_that_continues_a_run_of_the_driver_changes_nothing_of_it(
    tmp_path: Path, mlflow3_python: Path, mlflow3_server: str
) -> None:
    found = Driver(tmp_path, mlflow3_python, mlflow3_server, CONTINUES).run()
    theirs = read_run(mlflow3_python, mlflow3_server, found["theirs"]["inner"])
    ours = read_run(mlflow3_python, mlflow3_server, found["ours"]["inner"])
    assert ours.status == theirs.status == "FINISHED"
    assert ours.tags["mlflow.parentRunId"] == found["ours"]["outer"]
    added = {key for key in ours.tags.keys() - theirs.tags.keys() if not key.startswith("projrun.")}
    assert added == {"mlflow.project.entryPoint", "mlflow.project.env"}, "MLflow sets no env for local"
    own = {"mlflow.parentRunId", "mlflow.runName"}  # each its own
    shared = theirs.tags.keys() - own
    assert {key: ours.tags[key] for key in shared} == {key: theirs.tags[key] for key in shared}
    assert (ours.tags["mlflow.source.type"], ours.tags["own"]) == ("LOCAL", "kept")
    assert ours.params == {**theirs.params, "alpha": "0.5"}
    assert ours.params["duration"] == "1.0"


def test_an_active_run_in_mlflows_own_store_is_no_parent(tmp_path: Path, mlflow3_python: Path) -> None:
    driver = Driver(tmp_path, mlflow3_python, "", OF_MLFLOWS_STORE)
    reader = "entry_points: {main: {parameters: {data: path}, command: 'cat {data}'}}\n"
    driver.environ["READER"] = str(write_project(tmp_path / "reader", reader))
    found = driver.run()
    with closing(SqlStore.open(tmp_path / "home" / "projrun.db")) as store:
        runs = [store.get_run(run_id) for run_id in found["runs"]]
        name = store.uri
    assert [(run.status, run.experiment_id, run.tag("mlflow.parentRunId")) for run in runs] == [
        ("FINISHED", "0", None)
    ] * 2
    where = f"run {found['active']} is in {found['store']}, this run in {name}"
    assert found["warnings"] == [f"no parent is recorded: {where}"] * 3
    assert f"the tracking store {name} has no run '{found['active']}'" in found["refused"]
