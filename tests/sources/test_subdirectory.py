from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.sources.subdirectory import enter_subdirectory, parse_subdirectory


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("", ""),
        ("a", "a"),
        ("a/b.c/", "a/b.c"),
        ("./a//b", "a/b"),
        ("...", "..."),
        (".git", ".git"),
        ("a b", "a b"),
        ("/", ""),
        ("/ex/tut/", "ex/tut"),
        ("//etc", "etc"),
    ],
)
def test_parsing(text: str, parsed: str) -> None:
    assert parse_subdirectory(text) == parsed


@pytest.mark.parametrize("text", ["..", "/..", "a/..", "../a", "a\\b", "c:", "C:/a"])
def test_what_could_leave_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="leads out"):
        parse_subdirectory(text)


def test_entering(tmp_path: Path) -> None:
    root = (tmp_path / "root").resolve()
    (root / "a" / "b").mkdir(parents=True)
    (root / "inside").symlink_to("a/b")
    assert enter_subdirectory(root, "", "x") == root
    assert enter_subdirectory(root, "a/b", "x") == root / "a" / "b"
    assert enter_subdirectory(root, "inside", "x") == root / "a" / "b"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "has no folder"),
        ("file", "is a file"),
        ("out", "leads out"),
        ("up", "leads out"),
        ("loop", "has no"),
    ],
)
def test_a_folder_that_cannot_be_entered(tmp_path: Path, name: str, message: str) -> None:
    root = (tmp_path / "root").resolve()
    root.mkdir()
    (tmp_path / "root-beside").mkdir()
    (root / "file").touch()
    (root / "out").symlink_to(tmp_path / "root-beside")
    (root / "up").symlink_to("..")
    (root / "loop").symlink_to("loop")
    with pytest.raises(RequestError, match=message):
        enter_subdirectory(root, name, "x")
