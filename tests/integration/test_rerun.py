"""Runs recorded on real mlflow servers, by projrun and by `mlflow run`, and repeated from there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.integration.records import read_run, run_ids
from tests.sources.git_servers import git
from tests.support.commands import run_command, run_projrun
from tests.support.projects import write_project

pytestmark = pytest.mark.integration

MLPROJECT = """
name: repeated
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
      note: {type: string, default: none}
      data: {type: path, default: data.txt}
    command: "cat {data} code.txt; echo alpha={alpha} note={note}"
"""
PERSON = {
    f"GIT_{role}_{field}": "tester@example.com"
    for role in ("AUTHOR", "COMMITTER")
    for field in ("NAME", "EMAIL")
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a git repository, with uncommitted changes."""
    folder = write_project(tmp_path / "project", MLPROJECT, code_txt="committed\n", data_txt="data\n")
    environ = {**os.environ, **PERSON}
    git(folder, "init", "--quiet", environ=environ)
    git(folder, "add", "--all", environ=environ)
    git(folder, "commit", "--quiet", "-m", "first", environ=environ)
    (folder / "code.txt").write_text("uncommitted\n")
    return folder


def projrun(uri: str, *arguments: str | Path, home: Path) -> dict[str, Any]:
    environ = {"PROJRUN_HOME": str(home), "PROJRUN_ENV_MANAGER": "local"}
    done = run_projrun(*arguments, "--json", "--tracking-uri", uri, environ=environ, cwd=home.parent).check()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("line", ["3", "2"])
def test_a_run_on_a_server_is_repeated(
    line: str, project: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    python: Path = request.getfixturevalue(f"mlflow{line}_python")
    uri: str = request.getfixturevalue(f"mlflow{line}_server")
    home = tmp_path / "home"
    long = "x" * 7000
    first = projrun(uri, "run", project, "-P", "note=two words", "-P", f"long={long}", home=home)
    git(project, "checkout", "--quiet", "--", ".", environ=os.environ)
    environ = {"PROJRUN_HOME": str(tmp_path / "another"), "PROJRUN_ENV_MANAGER": "local"}
    refused = run_projrun("rerun", first["run_id"], "--tracking-uri", uri, environ=environ)
    assert refused.returncode == 2
    assert "give -P long=VALUE" in refused.stderr

    words = ("-P", f"long={long}", "-P", "alpha=1")
    again = projrun(uri, "rerun", first["run_id"], *words, home=tmp_path / "another")

    recorded = read_run(python, uri, again["run_id"])
    assert recorded.log == f"data\nuncommitted\nalpha=1 note=two words --long {long}\n"
    assert recorded.tags["projrun.rerun_of"] == first["run_id"]
    assert "source/dirty.patch" in recorded.artifacts
    compared = projrun(uri, "runs", "diff", first["run_id"], again["run_id"], home=home)
    assert [row["name"] for row in compared["parameters"] if not row["equal"]] == ["alpha"]
    facts = {row["name"]: row["equal"] for row in compared["facts"]}
    assert facts["commit"]
    assert facts["uncommitted changes"]


def test_a_run_of_mlflow_is_repeated_as_far_as_its_record_goes(
    project: Path, tmp_path: Path, mlflow3_python: Path, mlflow3_server: str
) -> None:
    environ = {
        "MLFLOW_TRACKING_URI": mlflow3_server,
        "PATH": f"{mlflow3_python.parent}:{os.environ['PATH']}",
    }
    words = ["-m", "mlflow", "run", str(project), "--env-manager=local", "--experiment-name=by-mlflow"]
    values = ["-P", "note=it's a note", "-P", "extra=1", "-P", f"data={project}/data.txt"]
    done = run_command([mlflow3_python, *words, *values], environ=environ)
    assert done.returncode == 0, done.stderr
    run_id = run_ids(mlflow3_python, mlflow3_server, "by-mlflow")[0]

    again = projrun(mlflow3_server, "rerun", run_id, home=tmp_path / "home")

    recorded = read_run(mlflow3_python, mlflow3_server, again["run_id"])
    assert recorded.log == "data\ncommitted\nalpha=0.5 note=it's a note\n"
    assert recorded.experiment == "by-mlflow"
    notes = {one["what"]: one["note"] for one in again["differences"]}
    assert notes["parameters"].startswith("extra: recorded, but")
    assert "not recorded by projrun" in notes["record"]
