from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.files import exists, find_mlproject, is_file, is_inside, look_alike


@pytest.mark.parametrize("name", ["MLproject", "mlproject", "MLPROJECT", "MlProject"])
def test_any_spelling_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert find_mlproject(tmp_path) == tmp_path / name


def test_the_exact_spelling_wins(tmp_path: Path) -> None:
    for name in ("MLPROJECT", "MLproject", "mlproject"):
        (tmp_path / name).touch()
    assert find_mlproject(tmp_path) == tmp_path / "MLproject"


def test_two_other_spellings_are_named(tmp_path: Path) -> None:
    for name in ("MLPROJECT", "mlproject"):
        (tmp_path / name).touch()
    with pytest.raises(RequestError, match="both MLPROJECT and mlproject are in"):
        find_mlproject(tmp_path)


def test_a_file_wins_over_a_folder(tmp_path: Path) -> None:
    (tmp_path / "MLproject").mkdir()
    (tmp_path / "mlproject").touch()
    assert find_mlproject(tmp_path) == tmp_path / "mlproject"


@pytest.mark.parametrize("name", ["MLproject", "mlproject"])
def test_a_folder_of_that_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(RequestError, match=f"{name} is a folder") as caught:
        find_mlproject(tmp_path)
    assert "MLproject" in caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "MLproject")
    with pytest.raises(RequestError, match="not a regular file"):
        find_mlproject(tmp_path)


def test_a_dangling_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLproject").symlink_to("nowhere")
    with pytest.raises(RequestError, match="not a regular file"):
        find_mlproject(tmp_path)


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    project = tmp_path / "project"
    project.mkdir()
    (project / "MLproject").symlink_to("../secret")
    with pytest.raises(RequestError, match="leaves the project"):
        find_mlproject(project, project)
    assert find_mlproject(project) == project / "MLproject", "the user's own folder is trusted"


def test_a_link_inside_the_project_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "MLproject").symlink_to("real")
    assert find_mlproject(tmp_path) == tmp_path / "MLproject"


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    assert find_mlproject(tmp_path) is None
    with pytest.raises(RequestError, match="cannot read the folder"):
        find_mlproject(tmp_path / "gone")


@pytest.mark.parametrize("name", ["MLproject.yaml", "MLproject.yml", "mlproject.yaml"])
def test_look_alikes(tmp_path: Path, name: str) -> None:
    assert look_alike(tmp_path) is None
    (tmp_path / name).touch()
    assert look_alike(tmp_path) == name
    assert find_mlproject(tmp_path) is None


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "loop", "gone"])
def test_strange_paths_are_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    path = tmp_path / name
    assert not is_file(path)
    assert not exists(path)


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("a", True),
        (".", True),
        ("b/../a", True),
        ("..", False),
        ("../x", False),
        ("link/x", False),
        ("a\0b", False),
    ],
)
def test_inside(tmp_path: Path, name: str, inside: bool) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "link").symlink_to(tmp_path)
    assert is_inside(project, project / name) is inside
