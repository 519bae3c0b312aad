"""Copying a tree: the same files, modes and times; links stay links; nothing else gets in."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from projrun.cache.removal import remove_folder
from projrun.sources.copies import tree as tree_copy
from projrun.sources.copies.tree import copy_tree
from tests.support.recursion import DEEPER, little_recursion

OLD = 1_234_567_890_123_456_789
LARGE = os.urandom(3 << 20)
"""More than is read at once."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """One of everything that a checkout holds."""
    top = tmp_path / "tree"
    (top / "folder" / "deeper").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "script.sh").write_text("#!/bin/sh\n")
    (top / "script.sh").chmod(0o755)
    (top / "nothing").touch()
    (top / "large").write_bytes(LARGE)
    (top / "folder" / "with space\nand newline").write_text("x")
    (top / "folder" / "deeper" / "read-only").write_text("y")
    (top / "folder" / "deeper" / "read-only").chmod(0o444)
    (top / os.fsdecode(b"not-utf-8-\xff")).write_text("z")
    (top / "link").symlink_to("folder/deeper/../deeper/read-only")
    (top / "folder-link").symlink_to("folder")
    (top / "dangling").symlink_to("/nowhere/at/all")
    (top / "folder" / "deeper").chmod(0o555)
    for path in (*top.rglob("*"), top):
        os.utime(path, ns=(OLD, OLD + len(path.name)), follow_symlinks=False)
    return top


def listing(top: Path) -> dict[str, tuple[int, int, object]]:
    """Mode, time, and content or target of all that is in a folder, links not followed."""
    return {str(path.relative_to(top)): _state(path) for path in sorted(top.rglob("*"))}


def _state(path: Path) -> tuple[int, int, object]:
    status = path.lstat()
    content: object = None
    if path.is_symlink():
        content = os.readlink(path)  # noqa: PTH115 - the text as it is
    elif path.is_file():
        content = path.read_bytes()
    return status.st_mode, status.st_mtime_ns, content


def test_everything_is_the_same(tree: Path, tmp_path: Path) -> None:
    copy_tree(tree, tmp_path / "copy")
    copied = listing(tmp_path / "copy")
    assert copied == listing(tree)
    assert len(copied) == 12
    assert (tmp_path / "copy").stat().st_mtime_ns == tree.stat().st_mtime_ns


def test_what_is_written_to_a_copy_stays_in_it(tree: Path, tmp_path: Path) -> None:
    before = listing(tree)
    copy_tree(tree, tmp_path / "copy")
    for name in ("script.sh", "nothing", "large"):
        with (tmp_path / "copy" / name).open("ab") as file:
            file.write(b"more")
        assert (tmp_path / "copy" / name).stat().st_nlink == 1
    assert listing(tree) == before


@pytest.mark.parametrize("refuses", ["clones", "clones and sendfile"])
def test_each_way_of_copying(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuses: str
) -> None:
    """As on file systems and kernels that know less."""
    monkeypatch.setattr(tree_copy, "clone_contents", lambda reading, writing: False)
    if refuses != "clones":
        monkeypatch.delattr(os, "sendfile", raising=False)
    copy_tree(tree, tmp_path / "copy")
    assert listing(tmp_path / "copy") == listing(tree)


def test_a_file_that_the_kernel_cannot_send(tmp_path: Path) -> None:
    """sendfile(2) refuses to write to a file that is open for appending."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(LARGE)
    reading = os.open(source, os.O_RDONLY)
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        assert tree_copy._send(reading, writing, len(LARGE)) is False
        tree_copy._stream(reading, writing)
    finally:
        os.close(reading)
        os.close(writing)
    assert target.read_bytes() == LARGE


def test_set_user_id_bits_are_not_copied(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    program = tmp_path / "tree" / "program"
    program.touch()
    program.chmod(0o6755)
    if program.stat().st_mode & stat.S_ISUID == 0:
        pytest.skip("this file system knows no set-user-id")
    copy_tree(tmp_path / "tree", tmp_path / "copy")
    assert (tmp_path / "copy" / "program").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_special_files_are_refused(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    if kind == "pipe":
        os.mkfifo(tmp_path / "tree" / "special")
    else:
        monkeypatch.chdir(tmp_path / "tree")  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("special")
    with pytest.raises(OSError, match="not a file, a folder or a link"):
        copy_tree(tmp_path / "tree", tmp_path / "copy")


def test_a_file_replaced_by_a_link_meanwhile_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to("secret")
    with pytest.raises(OSError, match="symbolic links"):
        tree_copy._FileCopier().copy(str(tmp_path / "link"), str(tmp_path / "copied"))


def test_a_folder_that_is_there_is_not_filled(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(FileExistsError):
        copy_tree(tree, tmp_path / "copy")


def test_a_deep_tree_is_no_deep_recursion(tmp_path: Path) -> None:
    here = tmp_path / "tree"
    here.mkdir()
    for _ in range(DEEPER):
        here = here / "d"
        here.mkdir()
    (here / "file").write_text("deep")
    with little_recursion():
        copy_tree(tmp_path / "tree", tmp_path / "copy")
        assert (tmp_path / "copy" / here.relative_to(tmp_path / "tree") / "file").read_text() == "deep"
        assert remove_folder(tmp_path / "copy")
        assert remove_folder(tmp_path / "tree")
