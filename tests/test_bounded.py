"""Files that never end and documents without a bottom are refused, at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from projrun.bounded import DEEPEST, parse_json, parse_toml, read_file
from projrun.errors import RequestError
from projrun.project.reading.parameters_file import read_parameters_file
from projrun.project.text import read_text
from projrun.running.backend_config import read_backend_config
from projrun.running.env_file import read_env_file
from projrun.settings import Setting, Settings
from projrun_backends.environments.python.fingerprints import fingerprint
from projrun_backends.environments.python.requirements import LocalDependency
from tests.support.questions import ask_projrun


def pipe(place: Path) -> Path:
    os.mkfifo(place)
    return place


def endless(place: Path) -> Path:
    place.symlink_to("/dev/zero")
    return place


def folder(place: Path) -> Path:
    place.mkdir()
    return place


KINDS = {"a pipe": pipe, "a device": endless, "a folder": folder}
READERS: dict[str, Callable[[Path], object]] = {
    "text": lambda file: read_text(file, "x"),
    "params": read_parameters_file,
    "env-file": lambda file: read_env_file(file.parent, file.name, {}),
    "config.toml": lambda file: Settings({}, {}, file),
    "backend config": lambda file: read_backend_config(Setting(file.name, "x"), file.parent),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", KINDS)
def test_only_regular_files_are_read(kind: str, reader: str, tmp_path: Path) -> None:
    file = KINDS[kind](tmp_path / "file.json")
    with pytest.raises(RequestError, match=r"not a regular file|Is a directory"):
        READERS[reader](file)


@pytest.mark.parametrize("reader", READERS)
def test_only_files_of_a_size_are_read(reader: str, tmp_path: Path) -> None:
    with (tmp_path / "file.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(RequestError, match="larger than 1 MiB"):
        READERS[reader](tmp_path / "file.json")


def test_the_size_itself_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 10)
    assert read_file(tmp_path / "file", 10) == b"x" * 10
    with pytest.raises(OSError, match="larger than"):
        read_file(tmp_path / "file", 9)


@pytest.mark.parametrize("depth", [DEEPEST + 2, 900, 100_000])
def test_documents_have_a_bottom(depth: int) -> None:
    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        parse_json("[" * depth + "]" * depth)
    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        parse_toml(f"a = {'[' * min(depth, 5000)}{']' * min(depth, 5000)}")
    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        parse_toml(f"{'.'.join('a' * min(depth, 5000))} = 1")


def test_usual_documents_are_not_too_deep() -> None:
    assert parse_json("[" * 60 + "]" * 60) != []
    assert parse_toml(f"a = {'[' * 60}{']' * 60}") != {}


@pytest.mark.parametrize("text", ["[" * 5000 + "]" * 5000, "9" * 5000, f"[{'9' * 5000}]"])
def test_a_backend_config_is_no_bug(text: str) -> None:
    with pytest.raises(RequestError, match=r"not JSON|not a JSON object"):
        read_backend_config(Setting('{"a": ' + text + "}", "x"), Path())


def test_the_command_line_says_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f"tracking-uri = {'[' * 5000}{']' * 5000}")
    asked = ask_projrun("runs", "list", environ={"PROJRUN_HOME": str(tmp_path)})
    assert asked.returncode == 2
    assert "config.toml: nested deeper than 64 levels" in asked.stderr


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_a_dependency_that_never_ends_is_refused(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path / "x.whl")
    with pytest.raises(RequestError, match=r"requirements.txt:1: .* cannot be read: not a regular file"):
        fingerprint(LocalDependency(tmp_path / "x.whl", False, "requirements.txt:1"))
