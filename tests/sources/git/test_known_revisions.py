from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.sources.git.known_revisions import recall, remember
from projrun.sources.git.remote import Remote
from projrun.sources.git.wanted import Target, Wanted
from projrun.sources.options import FetchOptions

COMMIT, OTHER = "1" * 40, "2" * 40


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    """A repository that nobody asks anything."""
    return Remote("https://host.invalid/r.git", FetchOptions(tmp_path / "cache", {}, tmp_path))


def file_of(remote: Remote) -> Path:
    (file,) = (remote.folder / "versions").iterdir()
    return file


@pytest.mark.parametrize(
    "target",
    [
        Target(COMMIT, Wanted("main"), "main", "refs/heads/main"),
        Target(COMMIT, Wanted("v1"), None, "refs/tags/v1"),
        Target("a" * 64, Wanted("aaaaaaa")),
        Target(COMMIT, Wanted(None), None, "HEAD"),
        Target(COMMIT, Wanted("b\udcff"), "b\udcff", "refs/heads/b\udcff"),
    ],
)
def test_what_is_remembered_is_recalled(remote: Remote, target: Target) -> None:
    assert recall(remote, target.wanted) is None
    remember(remote, target)
    resolution = recall(remote, target.wanted._replace(subdirectory="elsewhere"))
    assert resolution is not None
    assert resolution.target == target._replace(wanted=target.wanted._replace(subdirectory="elsewhere"))
    assert recall(remote, Wanted("other")) is None


def test_the_default_branch_is_remembered_by_its_name_too(remote: Remote) -> None:
    remember(remote, Target(COMMIT, Wanted(None), "main", "HEAD"))
    resolution = recall(remote, Wanted("main"))
    assert resolution is not None
    assert resolution.target == Target(COMMIT, Wanted("main"), "main", "refs/heads/main")
    assert recall(remote, Wanted("HEAD")) is not None


def test_only_what_has_changed_is_written(remote: Remote) -> None:
    target = Target(COMMIT, Wanted("main"), "main", "refs/heads/main")
    remember(remote, target)
    inode = file_of(remote).stat().st_ino
    os.utime(file_of(remote), (0, 1000))
    remember(remote, target)
    assert file_of(remote).stat().st_ino == inode
    known = recall(remote, target.wanted)
    assert known is not None
    assert known.when > 1000  # it is as true as now
    remember(remote, target._replace(commit=OTHER))
    assert file_of(remote).stat().st_ino != inode
    assert [file.name for file in file_of(remote).parent.iterdir()] == [file_of(remote).name]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 60,
        b"main\n" + b"1" * 39 + b"\nmain\nrefs/heads/main",
        b"main\n--upload-pack=x\nmain\nrefs/heads/main",
        b"other\n" + b"1" * 40 + b"\nmain\nrefs/heads/main",
        b"main\n" + b"1" * 40,
    ],
)
def test_a_damaged_note_is_none(remote: Remote, content: bytes) -> None:
    target = Target(COMMIT, Wanted("main"), "main", "refs/heads/main")
    remember(remote, target)
    file_of(remote).write_bytes(content)
    assert recall(remote, target.wanted) is None
    remember(remote, target)
    assert recall(remote, target.wanted) is not None


def test_a_cache_that_cannot_be_written_is_no_error(remote: Remote) -> None:
    remote.folder.parent.mkdir(parents=True)
    remote.folder.write_text("a file")
    remember(remote, Target(COMMIT, Wanted("main"), "main", "refs/heads/main"))
    assert recall(remote, Wanted("main")) is None
