"""`mlflow run` and `projrun run` of one project leave records that differ only where docs/mlproject.md says so.

Each difference that is meant is listed here, with the reason; anything else that differs fails the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from tests.integration.comparing import MLFLOW2_TAGS, OUR_TAGS, Case, Runners, assert_same_record
from tests.integration.records import read_run, run_ids
from tests.sources.git_servers import GitServer, serving
from tests.support.commands import require_tool, run_command, run_projrun
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.integration

EXAMPLES = REPOSITORY / "example_projects"

CASES = {
    "quickstart": Case("quickstart", ()),
    "quickstart, mlflow 2": Case("quickstart", (), "2"),
    "quoted value and undeclared parameter": Case(
        "quickstart", ("name=Ada Lovelace", "extra=1"), quoted=frozenset({"name"})
    ),
    "elasticnet": Case("sklearn_elasticnet_wine", ("alpha=0.42",)),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example projects in a git repository with a remote, as a person's project is."""
    root = tmp_path / "repository"
    shutil.copytree(EXAMPLES, root, ignore=shutil.ignore_patterns("__pycache__", "mlruns"))
    git = require_tool("git")
    for arguments in (
        ("init", "--quiet"),
        ("remote", "add", "origin", "https://git.example/team/examples.git"),
        ("add", "."),
        ("commit", "--quiet", "-m", "first"),
    ):
        run_command([git, *arguments], cwd=root).check()
    return root


ALSO_LARGE = {
    "quickstart", "elasticnet", "whole", "subfolder", "tag", "branch", "script", "shell script of a subfolder",
    "other entry point", "failing",
}  # fmt: skip
"""Cases of which others try all that is in them; models are in `test_recording.py`."""


def some(cases: dict[str, Any]) -> list[ParameterSet]:
    return [
        pytest.param(case, id=name, marks=[pytest.mark.large] if name in ALSO_LARGE else [])
        for name, case in cases.items()
    ]


@pytest.mark.parametrize("case", some(CASES))
def test_records_differ_only_as_decided(
    case: Case, repository: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    parameters = [word for parameter in case.parameters for word in ("-P", parameter)]
    pair = Runners(case.line, tmp_path, request).both(str(repository / case.project), *parameters)
    assert pair.codes == (0, 0)
    assert pair.ours.status == "FINISHED"
    assert_same_record(pair, case)
    assert not OUR_TAGS.keys() & pair.theirs.tags.keys(), "no longer a difference"
    assert case.line == "2" or not MLFLOW2_TAGS.keys() & pair.theirs.tags.keys(), "no longer a difference"


SHAPES = {
    "whole": ("", ()),
    "subfolder": ("#nested/deeper", ()),
    "script of a subfolder at a tag": (
        "#nested/deeper",
        ("-v", "v1", "--run-name", "a name", "-e", "script.py", "-P", "b=x", "-P", "c=1e-3"),
    ),
    "branch": ("", ("-v", "other/branch")),
    "tag": ("", ("-v", "v1")),
    "script": ("", ("-e", "script.py")),
    "shell script of a subfolder": ("#nested/deeper", ("-e", "tool.sh", "-P", "q=1")),
    "other entry point": ("", ("-e", "other", "-P", "n=5")),
    "failing": ("", ("-e", "failing")),
    "branch and other entry point": ("", ("-v", "other/branch", "-e", "other", "-P", "n=5")),
}
"""A subfolder, and arguments, for a project in a git repository."""

MLPROJECT = """
name: shapes
entry_points:
  main: {command: "python script.py"}
  other: {parameters: {n: float, m: {default: 0.5, type: float}}, command: "python script.py {n} {m}"}
  failing: {command: "python script.py; exit 3"}
"""
SCRIPT = """
import sys
import mlflow
with mlflow.start_run():
    mlflow.log_metric("arguments", len(sys.argv))
    mlflow.set_tag("seen", " ".join(sys.argv[1:]))
    mlflow.log_text("text", "folder/text.txt")
"""


@pytest.fixture
def shapes(tmp_path: Path) -> Iterator[str]:
    """The address of a repository with a tag, a branch and a project in a subfolder."""
    work, git = tmp_path / "work", require_tool("git")
    for folder in (work, work / "nested" / "deeper"):
        folder.mkdir(parents=True)
        (folder / "MLproject").write_text(MLPROJECT, encoding="utf-8")
        (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
        (folder / "tool.sh").write_text('python script.py "$@"\n', encoding="utf-8")
    for arguments in (
        ("init", "--quiet", "-b", "main"),
        ("add", "."),
        ("commit", "--quiet", "-m", "first"),
        ("tag", "v1"),
        ("checkout", "--quiet", "-b", "other/branch"),
        ("commit", "--quiet", "--allow-empty", "-m", "second"),
        ("checkout", "--quiet", "main"),
        ("commit", "--quiet", "--allow-empty", "-m", "third"),
        ("clone", "--quiet", "--bare", ".", "../served/shapes.git"),
    ):
        run_command([git, *arguments], cwd=work).check()
    server = GitServer(tmp_path / "served", os.environ)
    with serving(server):
        yield server.url("shapes.git")


@pytest.mark.parametrize("shape", some(SHAPES))
def test_projects_of_a_git_repository(
    shape: tuple[str, tuple[str, ...]], shapes: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    subfolder, arguments = shape
    pair = Runners("3", tmp_path, request).both(f"{shapes}{subfolder}", *arguments)
    # MLflow loses the child's exit code; projrun keeps it.
    assert pair.codes == ((1, 3) if "failing" in arguments else (0, 0))
    assert_same_record(pair, Case("", ()))


def test_a_failed_project_fails_in_both(tmp_path: Path, mlflow3_python: Path, mlflow3_server: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "MLproject").write_text("entry_points: {main: {command: 'exit 3'}}\n", encoding="utf-8")
    environ = {"MLFLOW_TRACKING_URI": mlflow3_server}
    arguments = ("run", str(project), "--env-manager=local", "--experiment-name", tmp_path.name)
    theirs = run_command([mlflow3_python.parent / "mlflow", *arguments], cwd=tmp_path, environ=environ)
    ours = run_projrun(*arguments, cwd=tmp_path, environ=environ)
    # MLflow loses the child's exit code; projrun keeps it.
    assert (theirs.returncode, ours.returncode) == (1, 3)
    statuses = [
        read_run(mlflow3_python, mlflow3_server, run_id).status
        for run_id in run_ids(mlflow3_python, mlflow3_server, tmp_path.name)
    ]
    assert statuses == ["FAILED", "FAILED"]
