"""The layouts of repositories that tutorials use, from a git server: where the project is, and who calls it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.sources.git_servers import GitServer, git, serving
from tests.support.commands import projrun_argv, run_projrun
from tests.support.projects import write_project
from tests.support.source_bench import Person

pytestmark = pytest.mark.integration

SAYS = """
name: {name}
entry_points:
  main:
    parameters: {{alpha: {{type: float, default: 0.5}}}}
    command: "echo {name} {{alpha}} in $(basename $PWD)"
"""

DRIVERS = """
name: driver
entry_points:
  main:
    parameters: {{uri: string, version: string}}
    command: "{python} driver.py {{uri}} {{version}}"
  shell:
    parameters: {{uri: string, version: string}}
    command: "{projrun} run {{uri}} -e etl -v {{version}} -P rows=7 --env-manager=local"
  etl:
    parameters: {{rows: int}}
    command: "echo etl {{rows}} rows, $(cat which.txt)"
"""

DRIVER = """
import sys

import projrun

uri, version = sys.argv[1:]
step = projrun.run(uri, "etl", version=version, parameters={"rows": 5}, env_manager="local")
print("step", step.run_id, flush=True)
"""


UPSTREAM_DRIVER = """
import sys

import mlflow

uri, version = sys.argv[1:]
with mlflow.start_run():
    mlflow.projects.run(uri, "etl", version=version, parameters={"rows": 3}, env_manager="local")
"""


class Served(NamedTuple):
    """A repository and where it is served; its tag `v1` is older than the tip of `main`."""

    url: str
    first: str
    tip: str


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """One repository that has all the layouts."""
    folder = tmp_path / "served" / "examples.git"
    places = {"root": folder, "train": folder / "examples" / "train", "dots": folder / "examples" / "v1.2"}
    for name, place in places.items():
        write_project(place, SAYS.format(name=name))
    drivers = DRIVERS.format(python=sys.executable, projrun=projrun_argv()[0])
    write_project(folder / "nested", drivers, driver_py=DRIVER, which_txt="the first")
    git(folder, "init", "--quiet", environ=os.environ)
    first = _commit(folder, "first")
    git(folder, "tag", "v1", environ=os.environ)
    (folder / "nested" / "which.txt").write_text("the second")
    tip = _commit(folder, "second")
    server = GitServer(folder.parent, dict(os.environ))
    with serving(server):
        yield Served(server.url("examples.git/.git"), first, tip)


def _commit(folder: Path, message: str) -> str:
    git(folder, "add", "--all", environ=os.environ)
    git(folder, "commit", "--quiet", "-m", message, environ=os.environ)
    return git(folder, "rev-parse", "HEAD", environ=os.environ)


@pytest.mark.parametrize(
    ("subdirectory", "said"),
    [
        ("#examples/train", "train 0.42 in train"),
        ("#examples/v1.2", "dots 0.42 in v1.2"),
        ("#examples/v1.2/", "dots 0.42 in v1.2"),
    ],
)
def test_a_project_in_a_folder(subdirectory: str, said: str, served: Served, person: Person) -> None:
    done = person.run(served.url + subdirectory, "-P", "alpha=0.42").check()
    assert f"{said}\n" in done.stdout


def test_a_project_at_the_top(served: Served, person: Person) -> None:
    done = person.run(served.url, "-P", "alpha=0.1", "--json").check()
    assert "root 0.1 in " in done.stderr
    tags = _show(json.loads(done.stdout)["run_id"], person)["tags"]
    assert tags["mlflow.source.git.commit"] == served.tip
    assert tags["mlflow.source.git.repoURL"] == tags["mlflow.source.name"] == served.url


@pytest.mark.parametrize("entry_point", ["main", "shell"])
def test_a_driver_that_calls_a_nested_project_by_git_with_a_version(
    entry_point: str, served: Served, person: Person
) -> None:
    """The driver runs at the tip, and calls what the tag has: in Python, and by the command line."""
    uri = served.url + "#nested"
    arguments = ("-e", entry_point, "-P", f"uri={uri}", "-P", "version=v1", "--json")
    done = person.run(uri, *arguments).check()
    driver = _show(json.loads(done.stdout)["run_id"], person)
    rows = {"main": 5, "shell": 7}[entry_point]
    (step,) = _children(driver, person)
    assert step["params"]["rows"] == str(rows)
    assert step["status"] == driver["status"] == "FINISHED"
    assert driver["tags"]["mlflow.source.git.commit"] == served.tip
    assert step["tags"]["mlflow.source.git.commit"] == served.first
    assert step["tags"]["mlflow.source.name"] == uri
    if entry_point == "shell":  # the API is silent; its output is the step's own artifact
        assert f"etl {rows} rows, the first\n" in done.stderr


def test_a_driver_that_calls_with_mlflow(
    served: Served, person: Person, mlflow3_python: Path, tmp_path: Path
) -> None:
    """A driver as upstream writes them: the steps are mlflow's own runs, recorded where projrun records."""
    command = f"{mlflow3_python} driver.py {{uri}} {{version}}"
    mlproject = (
        f'entry_points: {{main: {{parameters: {{uri: string, version: string}}, command: "{command}"}}}}\n'
    )
    project = write_project(tmp_path / "upstream", mlproject, driver_py=UPSTREAM_DRIVER)
    uri = served.url + "#nested"
    path = f"{mlflow3_python.parent}{os.pathsep}{os.environ['PATH']}"  # where `mlflow` is
    arguments = ("-P", f"uri={uri}", "-P", "version=v1", "--json")
    done = person.run(project, *arguments, PATH=path, TMPDIR=str(tmp_path)).check()
    assert "etl 3 rows, the first\n" in done.stderr
    driver = _show(json.loads(done.stdout)["run_id"], person)
    (step,) = _children(driver, person)
    assert step["status"] == driver["status"] == "FINISHED"
    assert step["tags"]["mlflow.source.git.commit"] == served.first


def _children(parent: dict[str, Any], person: Person) -> list[dict[str, Any]]:
    listed = run_projrun("runs", "list", "--json", environ=person.environ).check()
    runs = (_show(run["run_id"], person) for run in json.loads(listed.stdout)["runs"])
    return [run for run in runs if run["tags"].get("mlflow.parentRunId") == parent["run_id"]]


def _show(run_id: str, person: Person) -> dict[str, Any]:
    done = run_projrun("runs", "show", run_id, "--json", environ=person.environ).check()
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown
