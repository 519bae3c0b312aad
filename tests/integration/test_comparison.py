"""`mlflow run` and `projrun run` of one project leave records that differ only where docs/mlproject.md says so.

Each difference that is meant is listed here, with the reason; anything else that differs fails the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.integration.records import Recorded, read_run, run_ids
from tests.sources.git_servers import GitServer, serving
from tests.support.commands import projrun_argv, require_tool, run_command, run_projrun
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.integration

EXAMPLES = REPOSITORY / "example_projects"

# Tags that MLflow does not set, and why we do.
OUR_TAGS = {
    "mlflow.source.git.branch": "the branch is recorded also without --version",
    "mlflow.gitBranchName": "the branch is recorded also without --version",
    "mlflow.project.env": "recorded for local too",
}
MLFLOW2_TAGS = {
    "mlflow.gitRepoURL": "the old name of mlflow.source.git.repoURL; MLflow 3 no longer sets it, and so do we",
}
OUR_TAG_PREFIX = "projrun."
OUR_ARTIFACT_FOLDERS = ("logs/", "environment/", "source/")
DIFFERENT_FOR_EVERY_RUN = frozenset({"mlflow.runName", "mlflow.log-model.history"})
"""Random names, and for MLflow 2 a list of models with ids and times."""


class Case(NamedTuple):
    """A project and its parameters, as both are given them."""

    project: str
    parameters: tuple[str, ...]
    line: str = "3"
    """The line of the mlflow client and server."""
    quoted: frozenset[str] = frozenset()
    """Params whose recorded text MLflow shell-quotes, a known bug that is not copied."""


CASES = {
    "quickstart": Case("quickstart", ()),
    "quickstart, mlflow 2": Case("quickstart", (), "2"),
    "quoted value": Case("quickstart", ("name=Ada Lovelace",), quoted=frozenset({"name"})),
    "undeclared parameter": Case("quickstart", ("name=Ada", "extra=1")),
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


class Pair(NamedTuple):
    """What both left of the same command line."""

    theirs: Recorded
    ours: Recorded
    codes: tuple[int, int]


class Runners:
    """`mlflow run` and `projrun run` with the same arguments, recorded on one server."""

    def __init__(self, line: str, folder: Path, request: pytest.FixtureRequest) -> None:
        self.python: Path = request.getfixturevalue(f"mlflow{line}_python")
        self.server: str = request.getfixturevalue(f"mlflow{line}_server")
        self.folder = folder
        self.experiment = f"comparison-{uuid4().hex}"
        self.environ = {
            "MLFLOW_TRACKING_URI": self.server,
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
        }

    def both(self, *arguments: str) -> Pair:
        theirs, their_code = self._record([self.python.parent / "mlflow", "run", *arguments])
        ours, our_code = self._record([*projrun_argv(), "run", *arguments])
        return Pair(theirs, ours, (their_code, our_code))

    def _record(self, command: list[str | Path]) -> tuple[Recorded, int]:
        before = set(run_ids(self.python, self.server, self.experiment))
        command += ["--env-manager=local", "--experiment-name", self.experiment]
        done = run_command(command, cwd=self.folder, environ=self.environ, timeout=300)
        new = set(run_ids(self.python, self.server, self.experiment)) - before
        assert len(new) == 1, done.stderr
        return read_run(self.python, self.server, new.pop()), done.returncode


def assert_same_record(pair: Pair, case: Case) -> None:
    ours, theirs = pair.ours, pair.theirs
    assert ours.status == theirs.status
    assert ours.user == theirs.user
    assert ours.metrics == theirs.metrics
    assert ours.outputs == theirs.outputs
    assert _params(ours, case) == _params(theirs, case)
    assert _tags(ours) == _tags(theirs)
    assert _artifacts(ours) == theirs.artifacts


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
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
    "subfolder at a tag": ("#nested/deeper", ("-v", "v1")),
    "branch": ("", ("-v", "other/branch")),
    "tag": ("", ("-v", "v1")),
    "script": ("", ("-e", "script.py")),
    "script with undeclared parameters": ("", ("-e", "script.py", "-P", "b=x", "-P", "c=1e-3")),
    "shell script of a subfolder": ("#nested/deeper", ("-e", "tool.sh", "-P", "q=1")),
    "other entry point": ("", ("-e", "other", "-P", "n=5")),
    "failing": ("", ("-e", "failing")),
    "run's name": ("", ("--run-name", "a name")),
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


@pytest.mark.parametrize(("subfolder", "arguments"), SHAPES.values(), ids=SHAPES.keys())
def test_projects_of_a_git_repository(
    subfolder: str, arguments: tuple[str, ...], shapes: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pair = Runners("3", tmp_path, request).both(f"{shapes}{subfolder}", *arguments)
    # MLflow loses the child's exit code; projrun keeps it.
    assert pair.codes == ((1, 3) if "failing" in arguments else (0, 0))
    assert_same_record(pair, Case("", ()))


def _params(recorded: Recorded, case: Case) -> dict[str, str]:
    return {
        name: value.strip("'") if name in case.quoted else value for name, value in recorded.params.items()
    }


def _tags(recorded: Recorded) -> dict[str, str]:
    left_out = {*OUR_TAGS, *MLFLOW2_TAGS, *DIFFERENT_FOR_EVERY_RUN}
    return {
        name: value
        for name, value in recorded.tags.items()
        if name not in left_out and not name.startswith(OUR_TAG_PREFIX)
    }


def _artifacts(recorded: Recorded) -> list[str]:
    return [path for path in recorded.artifacts if not path.startswith(OUR_ARTIFACT_FOLDERS)]


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
