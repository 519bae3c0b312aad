"""Projects for Pythons that are not the one that runs projrun: other patches, old versions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun_backends.environments.python.uv import find_uv
from tests.sources.git_servers import git
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


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_python_version_file_above_the_folder_of_a_fetched_project(
    workshop: Workshop, manager: str
) -> None:
    version = installed("3.9")
    project = workshop.project("sprocket<2", name="repository/sub")
    (project / "script.py").write_text("import sys; print(*sys.version_info[:3])\n")
    repository = project.parent
    (repository / ".python-version").write_text("3.9\n")
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "x"]):
        git(repository, *words, environ=os.environ)
    for arguments in ([str(project)], [f"{repository.as_uri()}#sub", "--version", "HEAD"]):
        done = workshop.run(*arguments, f"--env-manager={manager}").check()
        assert done.stdout.split() == version.split(".")


def test_a_conflict_with_requires_python_is_found_by_the_plan(workshop: Workshop) -> None:
    project = workshop.project()
    text = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\n'
    (project / "pyproject.toml").write_text(text)
    (project / ".python-version").write_text("3.9\n")
    planned = run_projrun("plan", project)
    assert planned.returncode == 2
    assert ".python-version asks for Python 3.9, which pyproject.toml: requires-python" in planned.stderr
