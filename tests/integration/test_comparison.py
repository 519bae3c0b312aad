"""`mlflow run` and `projrun run` of one project leave records that differ only where MLPROJECT.md says so.

Each difference that is meant is listed here, with the reason; anything else that differs fails the test.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.records import Recorded, read_run, run_ids
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
OUR_ARTIFACT_FOLDERS = ("logs/", "environment/")
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


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_records_differ_only_as_decided(
    case: Case, repository: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    python: Path = request.getfixturevalue(f"mlflow{case.line}_python")
    server: str = request.getfixturevalue(f"mlflow{case.line}_server")
    environ = {
        "MLFLOW_TRACKING_URI": server,
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    arguments = ["run", str(repository / case.project), "--env-manager=local"]
    for parameter in case.parameters:
        arguments += ["-P", parameter]
    experiment = f"comparison-{tmp_path.name}"

    def recorded_by(*runner: str | Path) -> Recorded:
        before = set(run_ids(python, server, experiment))
        command = [*runner, *arguments, "--experiment-name", experiment]
        run_command(command, cwd=tmp_path, environ=environ, timeout=300).check()
        (run_id,) = set(run_ids(python, server, experiment)) - before
        return read_run(python, server, run_id)

    theirs = recorded_by(python.parent / "mlflow")
    ours = recorded_by(*projrun_argv())

    assert ours.status == theirs.status == "FINISHED"
    assert ours.user == theirs.user
    assert ours.metrics == theirs.metrics
    assert ours.outputs == theirs.outputs
    assert _params(ours, case) == _params(theirs, case)
    assert not OUR_TAGS.keys() & theirs.tags.keys(), "no longer a difference"
    assert case.line == "2" or not MLFLOW2_TAGS.keys() & theirs.tags.keys(), "no longer a difference"
    assert _tags(ours) == _tags(theirs)
    assert _artifacts(ours) == theirs.artifacts


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
