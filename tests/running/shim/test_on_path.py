"""What lies on the path of a command's Python, of any version."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from projrun.running.child import RUN_URI, RUNNER, with_shim
from tests.support.commands import run_command
from tests.support.guard import REPOSITORY

ON_PATH = REPOSITORY / "projrun" / "running" / "shim" / "on_path"
MODULES = sorted(ON_PATH.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_modules_are_python_3_6_with_the_standard_library_alone(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"), feature_version=(3, 6))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    assert imported <= sys.stdlib_module_names | {"mlflow"}


def test_a_command_finds_it_before_the_users_folders() -> None:
    environ = with_shim({"PYTHONPATH": "/mine:/other:", "KEEP": "me", "MLFLOW_TRACKING_URI": "http://h"})
    assert environ["PYTHONPATH"] == f"{ON_PATH}:/mine:/other:", "an empty word is the working folder"
    assert environ[RUNNER] == sys.executable
    assert (environ["KEEP"], environ[RUN_URI]) == ("me", "http://h")
    assert with_shim(environ) == environ, "a run in a run has it once"
    assert with_shim({})["PYTHONPATH"] == str(ON_PATH)


@pytest.mark.integration
def test_pip_freeze_in_a_command_does_not_list_it() -> None:
    environ = with_shim({**os.environ, "PIP_EXCLUDE": "pytest"})
    assert environ["PIP_EXCLUDE"].split() == ["projrun-mlflow-run", "pytest"]
    assert with_shim(environ) == environ
    done = run_command([sys.executable, "-m", "pip", "freeze"], environ=environ).check()
    assert "projrun-mlflow-run" not in done.stdout
    assert "pytest==" not in done.stdout
    environ["PIP_EXCLUDE"] = ""
    shown = run_command([sys.executable, "-m", "pip", "freeze"], environ=environ).check()
    assert "projrun-mlflow-run" in shown.stdout


def test_a_command_without_mlflow_imports_nothing_of_it() -> None:
    code = "import sys; print([one for one in sys.modules if 'projrun' in one], sys.meta_path)"
    done = run_command([sys.executable, "-S", "-c", code], environ=with_shim(os.environ)).check()
    bare = run_command([sys.executable, "-S", "-c", code]).check()
    assert done.stdout == bare.stdout


@pytest.mark.processes
def test_mlflow_finds_the_provider_there() -> None:
    """As MLflow 2 and 3 look for it."""
    code = (
        "from importlib.metadata import entry_points as e\n"
        "found, = e(group='mlflow.run_context_provider')\n"
        "provider = found.load()()\n"
        "print(provider.in_context(), provider.tags())\n"
        "import sys; print(type(sys.meta_path[0]).__module__)"
    )
    done = run_command([sys.executable, "-S", "-c", code], environ=with_shim(os.environ)).check()
    assert done.stdout.split("\n")[:2] == ["False {}", "projrun_mlflow_run.redirect"]
