"""What is installed is read from files, and is what `pip freeze` says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from projrun_backends.environments.python import installed
from projrun_backends.environments.python.installed import installed_packages, python_version
from tests.backends.environments.python.packages import make_source_tree, make_wheel, offline


def metadata(prefix: Path, folder: str, text: str, **files: str) -> Path:
    place = prefix / "lib/python3.11/site-packages" / folder
    place.mkdir(parents=True)
    (place / "METADATA").write_text(text)
    for name, content in files.items():
        (place / f"{name}.json").write_text(content)
    return place


def named(prefix: Path, name: str, document: object) -> list[str]:
    metadata(
        prefix,
        f"{name}-1.dist-info",
        f"Name: {name}\nVersion: 1\n",
        direct_url=document if isinstance(document, str) else json.dumps(document),
    )
    return installed_packages(prefix)


@pytest.mark.integration  # builds an environment
def test_it_says_what_pip_says(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    make_wheel(tmp_path / "wheels", "sprocket", "1.0")
    wheel = make_wheel(tmp_path / "elsewhere", "widget", "2.0")
    tree = make_source_tree(tmp_path / "gear", "gearbox")
    pip: list[str | Path] = [venv / "bin/python", "-m", "pip", "--disable-pip-version-check"]
    environ = offline(tmp_path / "wheels")
    subprocess.run([*pip, "install", "-q", "sprocket", wheel, tree], env=environ, check=True)
    said = subprocess.run([*pip, "freeze", "--all"], env=environ, capture_output=True, text=True, check=True)

    def comparable(lines: list[str]) -> list[str]:
        return sorted(line.partition("#")[0] for line in lines)

    assert comparable(installed_packages(venv)) == comparable(said.stdout.splitlines())
    assert python_version(venv) == "{}.{}.{}".format(*sys.version_info)


def test_nothing_is_run_to_find_out(tmp_path: Path) -> None:
    library = metadata(tmp_path, "x-1.dist-info", "Name: x\nVersion: 1\n").parent
    (library / "evil.pth").write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (tmp_path / "bin/python").chmod(0o755)
    assert installed_packages(tmp_path) == ["x==1"]
    assert python_version(tmp_path) == "3.11"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"url": "file:///x", "dir_info": {"editable": True}}, "-e file:///x"),
        ({"url": "file:///x", "dir_info": {}}, "x @ file:///x"),
        (
            {"url": "https://h/x", "vcs_info": {"vcs": "git", "commit_id": "abc"}, "subdirectory": "s"},
            "x @ git+https://h/x@abc#subdirectory=s",
        ),
        ({"url": "https://me:hush@h/x.whl", "archive_info": {"hash": "sha256=0"}}, "x @ https://h/x.whl"),
        ("{", "x==1"),
        ("[1]", "x==1"),
        ({"url": "https://h", "vcs_info": "git"}, "x==1"),
        ({}, "x==1"),
    ],
)
def test_packages_from_places(tmp_path: Path, document: object, line: str) -> None:
    assert named(tmp_path, "x", document) == [line]


def test_old_and_damaged_metadata(tmp_path: Path) -> None:
    library = metadata(
        tmp_path, "good-1.dist-info", "Name: good\r\nVersion: 1.0\r\n\r\nName: fake\r\n"
    ).parent
    (library / "old.egg-info").write_text("Metadata-Version: 1.0\nName: old\nVersion: 2\n")
    (library / "folder.egg-info").mkdir()
    (library / "folder.egg-info/PKG-INFO").write_text("Name: folder\nVersion: 3\n")
    metadata(tmp_path, "empty-1.dist-info", "")
    metadata(tmp_path, "binary-1.dist-info", "\x00\x01")
    metadata(tmp_path, "words-1.dist-info", "Name: two words\nVersion: 1\n")
    (library / "gone.dist-info").symlink_to("/nowhere")
    assert installed_packages(tmp_path) == ["folder==3", "good==1.0", "old==2"]


def test_a_very_long_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    place = metadata(tmp_path, "big-1.dist-info", "Name: big\nVersion: 1\n\n")
    with (place / "METADATA").open("ab") as stream:
        stream.truncate(1 << 32)
    assert installed_packages(tmp_path) == ["big==1"]


def test_an_endless_number_of_packages_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "_MOST_PACKAGES", 50)
    library = tmp_path / "lib/python3.11/site-packages"
    library.mkdir(parents=True)
    for number in range(55):
        (library / f"x{number}.egg-info").write_text(f"Name: x{number}\nVersion: 1\n")
    assert len(installed_packages(tmp_path)) == 50


def test_a_library_by_two_names_counts_once(tmp_path: Path) -> None:
    metadata(tmp_path, "x-1.dist-info", "Name: x\nVersion: 1\n")
    (tmp_path / "lib64").symlink_to("lib")
    assert installed_packages(tmp_path) == ["x==1"]


@pytest.mark.parametrize(
    ("file", "text", "version"),
    [
        ("pyvenv.cfg", "home = /usr\nversion = 3.12.1\n", "3.12.1"),
        ("pyvenv.cfg", "version_info = 3.10.4.final.0\n", "3.10.4"),
        ("conda-meta/python-3.11.7-h955ad1f_0.json", "{}", "3.11.7"),
        ("conda-meta/python-dateutil-2.9-0.json", "{}", ""),
        ("lib/python3.13/os.py", "", "3.13"),
        ("lib/python3.13t/os.py", "", "3.13"),
        ("bin/x", "", ""),
    ],
)
def test_the_version_of_its_python(tmp_path: Path, file: str, text: str, version: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert python_version(tmp_path) == version


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    metadata(tmp_path, "x-1.dist-info", "Name: x\nVersion: 1\n").chmod(0)
    assert installed_packages(tmp_path) == []
