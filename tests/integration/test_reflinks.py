"""Copies on file systems that share blocks between files: next to nothing is written, and the cache stays as it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.sources.copies import reflinks
from projrun.sources.copies.tree import copy_tree
from tests.support.commands import require_tool, run_projrun
from tests.support.projects import write_project

pytestmark = pytest.mark.integration

SIZE = 40 << 20
IMAGE_SIZE = 400 << 20


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A small btrfs, which knows reflinks. A kernel may lack it, also in CI: only trying tells."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    maker = require_tool("mkfs.btrfs")
    image, place = tmp_path / "image", tmp_path / "mounted"
    with image.open("wb") as file:
        file.truncate(IMAGE_SIZE)
    subprocess.run([maker, "--quiet", str(image)], check=True, capture_output=True)
    place.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "btrfs", "-o", "loop", str(image), str(place)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mount.returncode != 0:
        pytest.skip(f"this kernel mounts no btrfs: {mount.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def used(place: Path) -> int:
    """Bytes that the file system has given out, once everything is written."""
    os.sync()
    status = os.statvfs(place)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def test_a_copy_takes_no_room_and_writing_to_it_changes_no_other(mounted: Path) -> None:
    tree = mounted / "tree"
    tree.mkdir()
    content = os.urandom(SIZE)
    (tree / "large").write_bytes(content)
    (tree / "large").chmod(0o640)
    before = used(mounted)
    copy_tree(tree, mounted / "copy")
    assert used(mounted) - before < SIZE // 8
    copied = mounted / "copy" / "large"
    assert copied.stat().st_ino != (tree / "large").stat().st_ino
    assert copied.stat().st_mode == (tree / "large").stat().st_mode
    with copied.open("r+b") as file:
        file.write(b"changed at the start")
        file.seek(0, os.SEEK_END)
        file.write(b"and appended")
    assert (tree / "large").read_bytes() == content
    assert copied.read_bytes()[SIZE:] == b"and appended"


def test_without_reflinks_a_copy_takes_room(mounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the room is measured at all, and that the reflink is what saves it."""
    monkeypatch.setattr("projrun.sources.copies.tree.clone_contents", lambda reading, writing: False)
    monkeypatch.delattr(os, "sendfile")  # the kernel is free to share blocks by it
    (mounted / "tree").mkdir()
    (mounted / "tree" / "large").write_bytes(os.urandom(SIZE))
    before = used(mounted)
    copy_tree(mounted / "tree", mounted / "copy")
    assert used(mounted) - before >= SIZE


def test_another_file_system_gives_no_reflinks(mounted: Path, tmp_path: Path) -> None:
    (mounted / "here").write_bytes(b"x" * 8192)
    with (mounted / "here").open("rb") as source, (tmp_path / "there").open("wb") as target:
        assert not reflinks.clone_contents(source.fileno(), target.fileno())
    (mounted / "tree").mkdir()
    (mounted / "tree" / "file").write_bytes(b"x" * 8192)
    copy_tree(mounted / "tree", tmp_path / "copy")
    assert (tmp_path / "copy" / "file").read_bytes() == b"x" * 8192


def test_a_run_works_in_a_clone(mounted: Path, tmp_path: Path) -> None:
    mlproject = 'entry_points:\n  main: {command: "echo more >> large"}\n'
    repository = write_project(tmp_path / "repository", mlproject)
    (repository / "large").write_bytes(os.urandom(SIZE))
    person = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), (*person, "commit", "-qm", "first")):
        subprocess.run(["git", *words], cwd=repository, check=True)
    environ = {"PROJRUN_HOME": str(tmp_path / "home"), "PROJRUN_CACHE_DIR": str(mounted / "cache")}
    words = ("run", repository.as_uri(), "--version=main", "--env-manager=local")
    run_projrun(*words, environ=environ).check()
    before = used(mounted)
    run_projrun(*words, environ=environ).check()
    copies = [path for path in (mounted / "cache" / "copies").iterdir() if path.is_dir()]
    assert len(copies) == 2, "both left a changed file"
    assert used(mounted) - before < SIZE // 8
    (tree,) = (mounted / "cache" / "checkouts").glob("*/*/tree")
    assert (tree / "large").read_bytes() == (repository / "large").read_bytes()
