"""What lies on the path of a command's Python, of any version."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from projrun.running.child import RUN_URI, RUNNER, with_log, with_shim
from tests.support.commands import run_command
from tests.support.guard import REPOSITORY

ON_PATH = REPOSITORY / "projrun" / "running" / "shim" / "on_path"
ON_PATH_LAST = REPOSITORY / "projrun" / "running" / "shim" / "on_path_last"
MODULES = sorted((*ON_PATH.rglob("*.py"), *ON_PATH_LAST.rglob("*.py")))


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


def test_the_logging_client_comes_after_the_users_folders() -> None:
    assert with_log({"PYTHONPATH": "/mine:"})["PYTHONPATH"] == f"/mine::{ON_PATH_LAST}"
    assert with_log({}) == {"PYTHONPATH": str(ON_PATH_LAST)}
    assert with_log(with_log({"A": "b"})) == with_log({"A": "b"})
    assert with_log({"PROJRUN_LOG": "off"}) == {"PROJRUN_LOG": "off"}


@pytest.mark.processes
def test_a_projrun_that_is_installed_is_the_one_that_is_imported(tmp_path: Path) -> None:
    """Wherever it comes on the path, and whoever finds it; a folder with its name alone is none."""
    (tmp_path / "mine" / "projrun").mkdir(parents=True)
    later = tmp_path / "later" / "projrun"
    later.mkdir(parents=True)
    (later / "__init__.py").write_text("word = 'installed'")
    (later / "log.py").write_text("word = 'its log'")
    code = "import projrun.log, projrun; print(projrun.log.__file__, getattr(projrun, 'word', 'none'))"
    path = f"import sys; sys.path.append({str(tmp_path / 'later')!r}); "
    finder = (
        "import sys\nfrom importlib.util import spec_from_file_location as at\n"
        f"class Editable:\n    find_spec = staticmethod(lambda name, path=None, target=None: "
        f"at(name, {str(later / '__init__.py')!r}) if name == 'projrun' else None)\n"
        "sys.meta_path.append(Editable)\n"
    )
    environ = with_log({**os.environ, "PYTHONPATH": str(tmp_path / "mine")})
    for before, file, word in (
        ("", REPOSITORY / "projrun" / "log" / "__init__.py", "none"),
        (path, later / "log.py", "installed"),
        (finder, later / "log.py", "installed"),
    ):
        argv = [sys.executable, "-S", "-c", before + code]
        done = run_command(argv, environ=environ, cwd=tmp_path).check()
        assert done.stdout.split(maxsplit=1) == [str(file), f"{word}\n"]


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
