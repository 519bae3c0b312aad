from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.loader import load_project
from projrun.project.model import DockerEnv, Location
from tests.project.support import load_text, refusal


@pytest.mark.parametrize(
    ("key", "kind"), [("python_env", "python_env"), ("conda_env", "conda_env"), ("uv_env", "uv_env")]
)
def test_a_key_names_a_file(tmp_path: Path, key: str, kind: str) -> None:
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "file").touch()
    environment = load_text(tmp_path, f"name: x\n{key}: envs/file\n").environment
    assert environment.kind == kind
    assert environment.file == tmp_path / "envs" / "file"
    assert environment.location == Location("MLproject", 2, 1)


@pytest.mark.parametrize(
    ("files", "kind", "name"),
    [
        ([], "none", None),
        (["requirements.txt"], "requirements", "requirements.txt"),
        (["requirements.txt", "pyproject.toml", "uv.lock"], "uv_env", "pyproject.toml"),
        (["requirements.txt", "pyproject.toml"], "requirements", "requirements.txt"),
        (["pyproject.toml"], "none", None),
        (["uv.lock"], "none", None),
        (["uv.lock", "pyproject.toml", "conda.yaml"], "conda_env", "conda.yaml"),
        (["conda.yaml", "python_env.yaml", "requirements.txt"], "python_env", "python_env.yaml"),
    ],
)
def test_default_files(tmp_path: Path, files: list[str], kind: str, name: str | None) -> None:
    for file in files:
        (tmp_path / file).touch()
    environment = load_project(tmp_path).environment
    assert environment.kind == kind
    assert environment.file == (tmp_path / name if name else None)
    assert environment.location is None


def test_a_pyproject_with_a_project_table_is_a_uv_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n\n[ project ]\nname = 'x'\n")
    (tmp_path / "requirements.txt").touch()
    assert load_project(tmp_path).environment.kind == "uv_env"


def test_a_null_key_is_none_and_the_default_files_count(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").touch()
    environment = load_text(tmp_path, "python_env:\n").environment
    assert environment.kind == "conda_env"


def test_a_default_file_that_leaves_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").touch()
    project = tmp_path / "project"
    project.mkdir()
    (project / "conda.yaml").symlink_to("../outside.yaml")
    with pytest.raises(RequestError, match=r"conda\.yaml is a link that leaves the project"):
        load_project(project, within=project)
    assert load_project(project, within=tmp_path).environment.kind == "conda_env"
    assert load_project(project).environment.kind == "conda_env"


def test_two_keys_are_both_read(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).touch()
    project = load_text(tmp_path, "conda_env: a\nname: x\npython_env: b\n")
    found = [(one.kind, one.location and one.location.line) for one in (project.environment, *project.others)]
    assert found == [("python_env", 3), ("conda_env", 1)]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("gone.yaml", "'gone.yaml' does not exist"),
        ("folder", "'folder' is not a file"),
        ("../gone.yaml", "'../gone.yaml' does not exist"),
        ("''", "the file name is empty"),
        ('"a\\0b"', "does not exist"),
        ("[a]", "must be text"),
        ("{python: 3}", "must be text"),
    ],
)
def test_bad_files_are_refused_at_the_value(tmp_path: Path, value: str, problem: str) -> None:
    (tmp_path / "project" / "folder").mkdir(parents=True)
    error = refusal(tmp_path / "project", f"name: x\npython_env: {value}\n")
    assert error.message.startswith("MLproject:2:13: python_env")
    assert problem in error.message


ELSEWHERE = ["../above.yaml", "{top}/above.yaml", "link.yaml", "folder/../../above.yaml"]


@pytest.mark.parametrize("value", ELSEWHERE)
def test_the_users_own_folder_may_name_any_file_and_a_checkout_its_own(tmp_path: Path, value: str) -> None:
    (tmp_path / "above.yaml").touch()
    project = tmp_path / "project"
    (project / "folder").mkdir(parents=True)
    (project / "link.yaml").symlink_to("../above.yaml")
    named = value.format(top=tmp_path)
    own = load_text(project, f"python_env: {named}\n")
    for found in (own, load_project(project, within=tmp_path)):
        assert found.environment.file is not None
        assert found.environment.file.samefile(tmp_path / "above.yaml")
    with pytest.raises(RequestError) as caught:
        load_project(project, within=project)
    assert caught.value.message == f"MLproject:1:13: python_env: {named!r} leaves the fetched project"
    assert load_project(project, tmp_path / "cache") == own
    assert load_project(project, tmp_path / "cache") == own
    with pytest.raises(RequestError, match="leaves the fetched project"):
        load_project(project, tmp_path / "cache", within=project)


def test_a_path_that_comes_back_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "env.yaml").touch()
    environment = load_text(tmp_path, "python_env: folder/../env.yaml\n").environment
    assert environment.file is not None
    assert environment.file.samefile(tmp_path / "env.yaml")


def test_docker(tmp_path: Path) -> None:
    text = """
docker_env:
  image: registry/name:1
  volumes: ["/a:/b", /c:/d:ro]
  environment: [HOME, [LEVEL, 010], [FLAG, yes]]
"""
    environment = load_text(tmp_path, text).environment
    assert environment.kind == "docker_env"
    assert environment.file is None
    assert environment.location == Location("MLproject", 2, 1)
    assert environment.docker == DockerEnv(
        "registry/name:1", ("/a:/b", "/c:/d:ro"), ("HOME",), (("LEVEL", "010"), ("FLAG", "True"))
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{}", "MLproject:1:1: docker_env has no image"),
        ("{volumes: [a]}", "MLproject:1:1: docker_env has no image"),
        ("image", "MLproject:1:13: docker_env must be a mapping"),
        ("{image: [a]}", "MLproject:1:21: image must be text"),
        ("{image: a, volumes: b}", "MLproject:1:33: volumes must be a list"),
        ("{image: a, volumes: [[b]]}", "MLproject:1:34: a volume must be text"),
        ("{image: a, environment: [[A]]}", "MLproject:1:38: a variable is"),
        ("{image: a, environment: [[A, b, c]]}", "MLproject:1:38: a variable is"),
        ("{image: a, environment: [[A, ~]]}", "MLproject:1:42: a variable's value must be text"),
        ("{image: a, environment: [{A: b}]}", "MLproject:1:38: a variable must be text"),
    ],
)
def test_bad_docker(tmp_path: Path, value: str, message: str) -> None:
    assert refusal(tmp_path, f"docker_env: {value}\n").message.startswith(message)
