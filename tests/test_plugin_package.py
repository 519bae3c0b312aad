"""The package of docs/plugins.md works: taken from the page, installed by pip, run by the real command."""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.commands import Completed, require_tool, run_command
from tests.support.guard import REPOSITORY
from tests.support.virtualenvs import environment_python

pytestmark = pytest.mark.integration  # pip gets the build backend from PyPI

_BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's folder, with the files of the page."""
    folder = tmp_path_factory.mktemp("package")
    page = (REPOSITORY / "docs" / "plugins.md").read_text(encoding="utf-8")
    for name, text in _BLOCK.findall(page):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def python(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new virtual environment into which pip installed the package.

    projrun and pytest are those of the environment that the tests run in, which comes later on its path.
    """
    folder = tmp_path_factory.mktemp("venv")
    run_command([sys.executable, "-m", "venv", folder], timeout=300).check()
    interpreter = environment_python(folder)
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(run_command([interpreter, "-c", asked]).check().stdout.strip())
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (own / "projrun_and_pytest.pth").write_text(line, encoding="utf-8")
    run_command([interpreter, "-m", "pip", "install", "--quiet", package], timeout=300).check()
    assert (own / "projrun_extras" / "nice.py").exists()
    return interpreter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(
        "entry_points:\n"
        "  main: {command: 'nice'}\n"
        "  python: {command: 'python -c \"import sys; print(sys.prefix)\"'}\n",
        encoding="utf-8",
    )
    return folder


def _run(python: Path, *arguments: str | Path) -> Completed:
    return run_command([python, "-m", "projrun", "run", *arguments])


def test_the_backend_runs_a_project(python: Path, project: Path, tmp_path: Path) -> None:
    require_tool("nice")
    config = tmp_path / "nice.json"
    config.write_text(json.dumps({"niceness": 7}))
    done = _run(python, project, "--env-manager=local", "--backend=nice", "--backend-config", config)
    assert done.check().stdout.splitlines()[0] == str(os.nice(0) + 7)


@pytest.mark.parametrize(("config", "message"), [({"niceness": 99}, "99"), ({"nicenes": 1}, "nicenes")])
def test_the_backend_refuses_a_wrong_configuration(
    python: Path, project: Path, tmp_path: Path, config: dict[str, int], message: str
) -> None:
    file = tmp_path / "nice.json"
    file.write_text(json.dumps(config))
    done = _run(python, project, "--env-manager=local", "--backend=nice", "--backend-config", file)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_environment_manager_runs_a_project(python: Path, project: Path) -> None:
    run_command([sys.executable, "-m", "venv", "--without-pip", project / ".venv"]).check()
    done = _run(python, project, "-e", "python", "--env-manager=prebuilt")
    assert done.check().stdout.splitlines()[0] == str(project / ".venv")


def test_the_environment_manager_takes_its_own_option(python: Path, project: Path) -> None:
    run_command([sys.executable, "-m", "venv", "--without-pip", project / "other"]).check()
    argv: list[str | Path] = [
        python,
        "-m",
        "projrun",
        "run",
        project,
        "-e",
        "python",
        "--env-manager=prebuilt",
    ]
    done = run_command(argv, environ={"PREBUILT_VENV": "other"})
    assert done.check().stdout.splitlines()[0] == str(project / "other")


def test_the_environment_manager_says_what_is_missing(python: Path, project: Path) -> None:
    done = _run(python, project, "-e", "python", "--env-manager=prebuilt")
    assert done.returncode == 4
    assert "is not a virtual environment" in done.stderr


@pytest.mark.parametrize("file", ["test_nice.py", "test_prebuilt.py"])
def test_it_passes_the_kit(python: Path, package: Path, tmp_path: Path, file: str) -> None:
    require_tool("nice")
    tests = package / file
    argv: list[str | Path] = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", tests]
    done = run_command(
        argv, cwd=tmp_path, timeout=300
    )  # not beside the sources: the installed package is tested
    assert re.search(r"^\d+ passed", done.check().stdout, re.MULTILINE)
