"""The plug-ins of CONTRIBUTING.md work: taken from the page, registered as a package's, run by the real command."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.support.commands import Completed, require_tool, run_command, run_projrun
from tests.support.guard import REPOSITORY
from tests.support.toml import parse_toml

pytestmark = pytest.mark.integration  # builds real environments

_BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's modules and the metadata that installing its package would leave."""
    folder = tmp_path_factory.mktemp("plugins")
    files = dict(_BLOCK.findall((REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    project = parse_toml(files["pyproject.toml"])["project"]
    metadata = folder / f"projrun_nice-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (metadata / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    return folder


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


def _run(plugins: Path, *arguments: str | Path) -> Completed:
    return run_projrun("run", *arguments, environ={"PYTHONPATH": str(plugins)})


def test_the_backend_runs_a_project(plugins: Path, project: Path, tmp_path: Path) -> None:
    require_tool("nice")
    config = tmp_path / "nice.json"
    config.write_text(json.dumps({"niceness": 7}))
    done = _run(plugins, project, "--env-manager=local", "--backend=nice", "--backend-config", config)
    assert done.check().stdout.splitlines()[0] == str(os.nice(0) + 7)


@pytest.mark.parametrize(("config", "message"), [({"niceness": 99}, "99"), ({"nicenes": 1}, "nicenes")])
def test_the_backend_refuses_a_wrong_configuration(
    plugins: Path, project: Path, tmp_path: Path, config: dict[str, int], message: str
) -> None:
    file = tmp_path / "nice.json"
    file.write_text(json.dumps(config))
    done = _run(plugins, project, "--env-manager=local", "--backend=nice", "--backend-config", file)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_environment_manager_runs_a_project(plugins: Path, project: Path) -> None:
    run_command([sys.executable, "-m", "venv", "--without-pip", project / ".venv"]).check()
    done = _run(plugins, project, "-e", "python", "--env-manager=prebuilt")
    assert done.check().stdout.splitlines()[0] == str(project / ".venv")


def test_the_environment_manager_says_what_is_missing(plugins: Path, project: Path) -> None:
    done = _run(plugins, project, "-e", "python", "--env-manager=prebuilt")
    assert done.returncode == 4
    assert "is not a virtual environment" in done.stderr


def test_the_environment_manager_passes_the_kit(plugins: Path) -> None:
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
        plugins / "test_prebuilt.py",
    ]
    done = run_command(argv, cwd=plugins, environ={"PYTHONPATH": str(plugins)})
    assert re.search(r"^\d+ passed", done.check().stdout, re.MULTILINE)
