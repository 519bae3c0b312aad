"""Runs' copies on a file system that can clone files: a real Btrfs."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.git_servers import git
from tests.support.commands import missing, require_tool, run_command
from tests.support.projects import write_project
from tests.support.source_bench import files_of, new_person, tree_of

pytestmark = pytest.mark.integration

SIZE = 30_000_000
"""Bytes of the project's data."""
APPENDS = "entry_points: {main: {command: 'echo more >> big.bin'}}\n"


@pytest.fixture
def btrfs(tmp_path: Path) -> Iterator[Path]:
    """An empty file system."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a file system")
    image, folder = tmp_path / "image", tmp_path / "mounted"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(400_000_000)
    run_command([require_tool("mkfs.btrfs"), "-q", image]).check()
    mounted = run_command(["mount", "-o", "loop", image, folder])
    if mounted.returncode != 0:
        missing(f"a file system cannot be mounted here: {mounted.stderr}")
    try:
        yield folder
    finally:
        run_command(["umount", folder]).check()


def test_a_copy_takes_no_room_and_shares_no_change(btrfs: Path, tmp_path: Path) -> None:
    repository = write_project(tmp_path / "repository", APPENDS)
    (repository / "big.bin").write_bytes(random.Random(0).randbytes(SIZE))
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "big"]):
        git(repository, *words, environ=os.environ)
    person = new_person(btrfs / "person")
    person.run(repository, "--version=HEAD").check()
    before = _used(btrfs)
    for _ in range(3):
        person.run(repository, "--version=HEAD", "--keep-workdir").check()
    assert len(person.remaining_copies()) == 4, "what a run changed is kept, too"
    assert _used(btrfs) - before < SIZE / 4
    (tree,) = person.complete_checkouts()
    assert files_of(tree, os.environ) == tree_of(repository, "HEAD", os.environ)
    for copy in person.remaining_copies():
        assert (copy / "big.bin").stat().st_size == SIZE + len("more\n")


def _used(folder: Path) -> int:
    run_command(["sync", "--file-system", folder]).check()
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize
