"""Projects that name two environments: the chosen manager decides, or it is an error as in MLflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.environments.choice import the_environment
from projrun.errors import RequestError
from projrun.project.loader import load_project
from projrun.project.model import Project
from tests.project.support import load_text


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "env.yaml").touch()
    return load_text(tmp_path, "conda_env: env.yaml\nname: x\npython_env: env.yaml\n")


PROBLEM = "the project names 2 environments: conda_env (line 1) and python_env (line 3)"


@pytest.mark.parametrize(
    ("manager", "kind", "warning"),
    [
        ("conda", "conda_env", "--env-manager=conda builds conda_env"),
        ("local", "python_env", "local builds none of them"),
        ("existing", "python_env", "existing builds none of them"),
    ],
)
def test_the_manager_decides(project: Project, manager: str, kind: str, warning: str) -> None:
    reference, warnings = the_environment(project, manager)
    assert (reference.kind, warnings) == (kind, (f"{PROBLEM}; {warning}",))


@pytest.mark.parametrize(
    ("manager", "hint"),
    [
        (None, "keep one, or decide with --env-manager"),
        ("docker", "keep one, or decide with --env-manager"),
        ("uv", "uv builds both: keep one, or choose a manager that builds only one"),
        ("virtualenv", "virtualenv builds both: keep one, or choose a manager that builds only one"),
    ],
)
def test_a_manager_that_does_not_decide(project: Project, manager: str | None, hint: str) -> None:
    with pytest.raises(RequestError) as caught:
        the_environment(project, manager)
    assert caught.value.message == f"MLproject:3:1: {PROBLEM}"
    assert caught.value.hint == hint
    assert caught.value.detail == "python_env: env.yaml\n^"


def test_an_image_beside_a_file(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").touch()
    project = load_text(tmp_path, "docker_env: {image: x}\npython_env: env.yaml\n")
    assert the_environment(project, "uv")[0].kind == "python_env"
    assert the_environment(project, "docker")[0].kind == "docker_env"
    with pytest.raises(RequestError, match="names 2 environments"):
        the_environment(project, None)


def test_one_environment_needs_no_decision(tmp_path: Path) -> None:
    project = load_text(tmp_path, "docker_env: {image: x}\n")
    assert the_environment(project, None) == (project.environment, ())


@pytest.mark.parametrize(
    ("manager", "kind"),
    [(None, "python_env"), ("uv", "python_env"), ("conda", "conda_env"), ("local", "python_env")],
)
def test_of_default_files_the_first_counts_that_the_manager_builds(
    tmp_path: Path, manager: str | None, kind: str
) -> None:
    """Models of MLflow have three."""
    for name in ("python_env.yaml", "conda.yaml", "requirements.txt"):
        (tmp_path / name).touch()
    reference, warnings = the_environment(load_project(tmp_path), manager)
    assert (reference.kind, warnings) == (kind, ())


def test_without_a_default_file_that_the_manager_builds_the_first_is_refused_later(tmp_path: Path) -> None:
    (tmp_path / "python_env.yaml").touch()
    assert the_environment(load_project(tmp_path), "conda")[0].kind == "python_env"
