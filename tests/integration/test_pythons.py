"""Projects for Pythons that are not the one that runs projrun: other patches, old versions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun_backends.environments.python.uv import find_uv
from tests.support.commands import missing, run_projrun
from tests.support.workshop import Workshop

pytestmark = pytest.mark.integration  # builds real environments

VERSIONS = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
MANAGERS = ["uv", "virtualenv"]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    if find_uv(os.environ) is None:
        missing("uv is not installed")
    workshop = Workshop(tmp_path, monkeypatch)
    monkeypatch.setenv("PYENV_ROOT", str(VERSIONS.parent))
    return workshop


def installed(minor: str) -> str:
    """An installed version of that minor one, the newest that pyenv has."""
    found = sorted((folder.name for folder in VERSIONS.glob(f"{minor}.*")), key=lambda name: len(name))
    return found[-1] if found else missing(f"pyenv has no Python {minor}")


def project_for(workshop: Workshop, file: str, text: str) -> Path:
    project = workshop.project("sprocket<2")
    (project / "requirements.txt").unlink()
    (project / file).write_text(text)
    (project / "script.py").write_text(
        "import sys, sprocket; print(*sys.version_info[:3], sprocket.VERSION)\n"
    )
    return project


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("python_env.yaml", "python: 3.8.99\ndependencies: [sprocket<2]\n"),
        ("conda.yaml", "dependencies:\n- python=3.8.99\n- pip: [sprocket<2]\n"),
    ],
)
def test_another_patch_of_the_python_that_is_asked_for(
    workshop: Workshop, manager: str, file: str, text: str
) -> None:
    version = installed("3.8")
    project = project_for(workshop, file, text)
    done = workshop.run(project, f"--env-manager={manager}").check()
    assert done.stdout.split() == [*version.split("."), "1.0"]
    assert done.stderr.count("asks for Python 3.8.99") == 1
    tags = workshop.last_run()["tags"]
    assert tags["projrun.environment.python"] == f"{version} instead of 3.8.99"
    assert f"# python {version}\n" in workshop.artifact("environment/requirements.lock.txt")
    refused = workshop.run(project, f"--env-manager={manager}", "--exact-python")
    assert refused.returncode == 4
    assert f"remove --exact-python to use {version}" in refused.stderr
    (workshop.home / "config.toml").write_text("exact-python = true\n")
    config = {"PROJRUN_CONFIG": str(workshop.home / "config.toml")}
    assert run_projrun("plan", project, f"--env-manager={manager}", environ=config).returncode == 4


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("minor", ["3.6", "3.7", "3.9", "3.13"])
def test_old_and_new_pythons_are_built(workshop: Workshop, manager: str, minor: str) -> None:
    version = installed(minor)
    project = project_for(workshop, "python_env.yaml", f"python: {version}\ndependencies: [sprocket<2]\n")
    done = workshop.run(project, f"--env-manager={manager}").check()
    assert done.stdout.split() == [*version.split("."), "1.0"]
    (entry,) = workshop.entries()
    compiled = list(entry.path.glob(f"env/lib/python{minor}/site-packages/__pycache__/sprocket.*.pyc"))
    assert len(compiled) == 1
