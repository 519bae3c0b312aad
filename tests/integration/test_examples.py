"""Every example project runs, as its README says."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Completed, run_projrun
from tests.support.guard import PACKAGE_CACHE, REPOSITORY

EXAMPLES = REPOSITORY / "example_projects"
CHAIN = ("generate", "train", "evaluate")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A store of the test's own, and the `python` of this environment first on PATH."""
    return {
        "PROJRUN_HOME": str(tmp_path / "projrun"),
        "PROJRUN_CACHE_DIR": str(PACKAGE_CACHE / "projrun"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def test_every_example_is_tested_and_has_a_readme() -> None:
    examples = {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()}
    assert examples == {"quickstart", "sklearn_elasticnet_wine", "multistep"}
    for example in examples:
        assert (EXAMPLES / example / "README.md").exists()


@pytest.mark.parametrize(
    "example",
    [
        "quickstart",
        "sklearn_elasticnet_wine",
        "sklearn_elasticnet_wine/conda",
        "sklearn_elasticnet_wine/mlflow2",
        "multistep",
    ],
)
def test_no_example_has_a_mistake(example: str) -> None:
    done = run_projrun("check", EXAMPLES / example, "--json").check()
    assert json.loads(done.stdout)["findings"] == []


def test_quickstart(environ: dict[str, str]) -> None:
    done = run_projrun(
        "run", EXAMPLES / "quickstart", "--env-manager=local", "-P", "name=Ada Lovelace", environ=environ
    ).check()
    assert "Hello, Ada Lovelace!\n" in done.stdout


def test_multistep_in_python(environ: dict[str, str]) -> None:
    done = run_projrun("run", EXAMPLES / "multistep", "--env-manager=local", "-P", "rows=50", environ=environ)
    _check_chain(done.check(), environ)


def test_multistep_in_shell(environ: dict[str, str]) -> None:
    arguments = ("run", EXAMPLES / "multistep", "-e", "shell", "--env-manager=local", "-P", "rows=50")
    _check_chain(run_projrun(*arguments, environ=environ).check(), environ)


def test_multistep_in_shell_in_a_built_environment(environ: dict[str, str]) -> None:
    arguments = ("run", EXAMPLES / "multistep", "-e", "shell", "-P", "rows=50", "--env-manager=uv")
    _check_chain(run_projrun(*arguments, environ=environ).check(), environ)


@pytest.mark.integration
def test_elasticnet_in_the_environment_that_it_asks_for(environ: dict[str, str]) -> None:
    done = run_projrun(
        "run", EXAMPLES / "sklearn_elasticnet_wine", "-P", "alpha=0.42", environ=environ, timeout=900
    ).check()
    assert "rmse: 0.4456" in done.stdout
    assert "projrun runs show" in done.stdout + done.stderr


def _show(run_id: str, environ: dict[str, str]) -> dict[str, Any]:
    done = run_projrun("runs", "show", run_id, "--json", environ=environ).check()
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def _check_chain(done: Completed, environ: dict[str, str]) -> None:
    """The steps ran in order, each one a child of the chain's run, and evaluate measured what train made."""
    steps = dict(
        line.split() for line in done.stdout.splitlines() if line.startswith(CHAIN) and len(line.split()) == 2
    )
    assert tuple(steps) == CHAIN
    runs = {name: _show(run_id, environ) for name, run_id in steps.items()}
    parents = {run["tags"]["mlflow.parentRunId"] for run in runs.values()}
    assert len(parents) == 1
    assert not parents & set(steps.values())
    assert {run["status"] for run in runs.values()} == {"FINISHED"}
    assert runs["train"]["params"]["data"] == f"runs:/{steps['generate']}/data.csv"
    assert 0.05 < runs["evaluate"]["metrics"]["rmse"] < 0.2
