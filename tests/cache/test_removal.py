"""Removing what others worked in: all of it, and nothing beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from projrun.cache.removal import remove_folder
from tests.support.plain_user import give, python_as_plain_user

IMPORT = "from projrun.cache.removal import remove_folder"


@pytest.mark.processes
def test_read_only_folders_and_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    inner = folder / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    give(tmp_path, folder, inner, inner / "file")
    (inner / "file").chmod(0o400)
    inner.chmod(0o500)
    folder.chmod(0o000)
    said = python_as_plain_user(IMPORT, "print(remove_folder(Path('folder')))", folder=tmp_path)
    assert said == "True\n"
    assert not folder.exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    outside.chmod(0o755)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file-link").symlink_to(outside / "precious")
    assert remove_folder(folder)
    assert (outside / "precious").exists()
    assert outside.stat().st_mode & 0o777 == 0o755


def test_a_link_in_the_place_of_the_folder_is_removed_alone(tmp_path: Path) -> None:
    """A run may have put it there: what it leads to keeps its files, and its modes."""
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "precious").touch()
    (outside / "inner").chmod(0o750)
    outside.chmod(0o755)
    (tmp_path / "folder").symlink_to(outside)
    assert remove_folder(tmp_path / "folder")
    assert not (tmp_path / "folder").is_symlink()
    assert (outside / "precious").exists()
    assert [path.stat().st_mode & 0o777 for path in (outside, outside / "inner")] == [0o755, 0o750]


def test_a_file_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert remove_folder(tmp_path / "file")
    assert not (tmp_path / "file").exists()
    assert remove_folder(tmp_path / "nothing")


def test_what_is_deeper_than_a_path_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    script = (
        "import os\nfor _ in range(30):\n    os.mkdir('d' * 200)\n    os.chdir('d' * 200)\nopen('file', 'w')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path / "folder", check=True)
    assert remove_folder(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


@pytest.mark.processes
def test_what_cannot_be_removed_stays(tmp_path: Path) -> None:
    folder = tmp_path / "parent" / "folder"
    folder.mkdir(parents=True)
    (folder / "file").touch()
    give(tmp_path, folder)
    folder.parent.chmod(0o555)
    said = python_as_plain_user(IMPORT, "print(remove_folder(Path('parent/folder')))", folder=tmp_path)
    assert said == "False\n"
    assert list(folder.iterdir()) == []
