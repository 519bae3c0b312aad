"""Layouts of public projects run end to end in built environments, each beside `mlflow run` where that can run it.

MLflow runs them with `--env-manager=local`, in an environment that has what they import: its own managers need conda or
pyenv. The records differ only as `comparing` lists.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.comparing import OUR_ARTIFACT_FOLDERS, Case, Runners, assert_same_record
from tests.integration.records import read_run, run_ids
from tests.support.commands import require_tool, run_command, run_projrun
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.integration

LAYOUTS = REPOSITORY / "tests" / "layouts"


class Layout(NamedTuple):
    """A project, and what its command prints in the environment that projrun builds."""

    project: str
    printed: str
    parameters: tuple[str, ...] = ()
    warning: str = ""
    """What projrun says about it."""


KINDS = {
    "environment file above the project": Layout(
        "above/examples/train", "six 1 ['--alpha', '0.42']", ("alpha=0.42",)
    ),
    "duplicate keys": Layout("duplicate_keys", "six 1 ['0.2']", warning="rate"),
    "conda export": Layout("conda_export", "six 1.16.0 cloudpickle 3.0.0 ['--epochs=3']", warning="PyPI"),
    "poetry": Layout("poetry", "six 1 cloudpickle ['world']"),
    "exact patch": Layout("exact_patch", "six 1 3.11 ['1']", warning="3.11.99"),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The layouts in a git repository, as people have them."""
    root, git = tmp_path / "repository", require_tool("git")
    shutil.copytree(LAYOUTS, root, ignore=shutil.ignore_patterns("__pycache__"))
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "first")):
        run_command([git, *arguments], cwd=root).check()
    return root


IN_CI = ("conda export", "environment file above the project")
"""The others have tests of their own, too."""


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(layout, id=name, marks=() if name in IN_CI else pytest.mark.large)
        for name, layout in KINDS.items()
    ],
)
def test_layout_runs_as_under_mlflow(
    layout: Layout, repository: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    runners = Runners("3", tmp_path, request)
    parameters = [word for parameter in layout.parameters for word in ("-P", parameter)]
    pair = runners.both(str(repository / layout.project), *parameters, env_manager="uv")
    assert pair.codes == (0, 0)
    assert pair.ours.status == "FINISHED"
    assert layout.printed in pair.ours.log
    assert layout.warning in pair.said
    assert_same_record(pair, Case("", ()))


def test_artifacts_written_as_a_path(repository: Path, tmp_path: Path, mlflow3_python: Path) -> None:
    """Without a server: MLflow's own default store is a database with a folder, ours the embedded store."""
    arguments = ("run", str(repository / "artifact_path"), "-P", "title=epochs")
    database = f"sqlite:///{tmp_path}/mlflow.db"
    environ = {
        "MLFLOW_TRACKING_URI": database,
        "PATH": f"{mlflow3_python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    mlflow: list[str | Path] = [mlflow3_python.parent / "mlflow", *arguments, "--env-manager=local"]
    run_command(mlflow, cwd=tmp_path, environ=environ, timeout=300).check()
    (run_id,) = run_ids(mlflow3_python, database, "Default")
    theirs = read_run(mlflow3_python, database, run_id)
    home = {"PROJRUN_HOME": str(tmp_path / "home")}
    done = run_projrun(*arguments, "--env-manager=uv", "--json", environ=home, timeout=300)
    assert done.returncode == 0, done.stderr
    shown = run_projrun("runs", "show", json.loads(done.stdout)["run_id"], "--json", environ=home).check()
    ours = json.loads(shown.stdout)
    assert (ours["status"], ours["params"], ours["metrics"]) == (theirs.status, theirs.params, theirs.metrics)
    paths = [one["path"] for one in ours["artifacts"] if not one["path"].startswith(OUR_ARTIFACT_FOLDERS)]
    assert paths == theirs.artifacts == ["plots/loss.svg"]
    assert not list((repository / "artifact_path").glob("mlflow*"))


def test_script_with_an_inline_environment(repository: Path, tmp_path: Path) -> None:
    """`mlflow run` takes no single script: what is recorded is checked by itself."""
    home = {"PROJRUN_HOME": str(tmp_path / "home")}
    script = repository / "script" / "train.py"
    done = run_projrun(
        "run", script, "-P", "alpha=0.5", "--env-manager=uv", "--json", environ=home, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "six 1 ['--alpha', '0.5']" in done.stderr
    shown = run_projrun("runs", "show", json.loads(done.stdout)["run_id"], "--json", environ=home).check()
    recorded = json.loads(shown.stdout)
    assert (recorded["status"], recorded["params"]) == ("FINISHED", {"alpha": "0.5"})
    assert recorded["tags"]["mlflow.project.entryPoint"] == "train.py"
