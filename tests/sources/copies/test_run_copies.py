"""A run's own copy: private, held while its process lives, whole or not there at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from projrun.cache import locked_folders
from projrun.cache.locked_folders import hold, is_held, lock_file, remove_held, sweep
from projrun.errors import SourceError
from projrun.sources.copies.run_copies import keep_copy, make_copy, read_facts
from tests.support.plain_user import give, python_as_plain_user


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    top.mkdir(mode=0o755)
    (top / "data.txt").write_text("data")
    return top


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of copies, which does not exist yet."""
    return tmp_path / "cache" / "copies"


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_a_copy_is_private_and_described(tree: Path, place: Path) -> None:
    before = os.umask(0)
    try:
        copy = make_copy(tree, place, {"source": "https://host/r", "commit": "abc"})
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (place, copy, lock_file(copy))] == [0o700, 0o700, 0o600]
    assert (copy / "data.txt").read_text() == "data"
    facts = read_facts(copy)
    assert (facts["source"], facts["commit"], facts["cached"]) == ("https://host/r", "abc", str(tree))
    assert left(place) == [copy.name, f"{copy.name}.lock"]
    other = make_copy(tree, place)
    assert other != copy
    assert all(remove_held(one) for one in (copy, other))


def test_a_copy_is_removed_with_its_lock(tree: Path, place: Path) -> None:
    copy = make_copy(tree, place)
    assert is_held(copy)
    assert remove_held(copy)
    assert left(place) == []
    assert remove_held(copy), "twice is no error"
    assert not is_held(copy)


def test_a_kept_copy_says_why_and_is_free(tree: Path, place: Path) -> None:
    copy = make_copy(tree, place, {"source": "here"})
    keep_copy(copy, "the run failed", "some-run")
    facts = read_facts(copy)
    assert (facts["kept"], facts["run_id"], facts["source"]) == ("the run failed", "some-run", "here")
    assert not is_held(copy)
    assert hold(copy)
    assert remove_held(copy)
    assert left(place) == []


@pytest.mark.processes
def test_another_process_sees_that_a_copy_is_used(tree: Path, place: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from projrun.sources.copies.run_copies import make_copy\n"
        "print(make_copy(Path(sys.argv[1]), Path(sys.argv[2])), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tree), str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        copy = Path(process.stdout.readline().strip())
        assert is_held(copy)
        assert not hold(copy)
        process.send_signal(signal.SIGKILL)
    assert not is_held(copy), "a lock does not outlive its process"
    assert (copy / "data.txt").exists()
    assert hold(copy)
    assert remove_held(copy)


def test_an_interrupted_copy_leaves_nothing(tree: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(reading: int, writing: int) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("projrun.sources.copies.tree.clone_contents", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_copy(tree, place)
    assert left(place) == []


def test_a_full_disk(tree: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("projrun.sources.copies.tree.clone_contents", lambda reading, writing: False)
    monkeypatch.setattr("os.sendfile", full)
    with pytest.raises(SourceError, match="No space left on device") as caught:
        make_copy(tree, place)
    assert str(place) in caught.value.message
    assert "PROJRUN_CACHE_DIR" in caught.value.hint
    assert left(place) == []


@pytest.mark.processes
def test_a_folder_that_cannot_be_written(tree: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    give(tmp_path, closed, tree, tree / "data.txt")
    said = python_as_plain_user(
        "from projrun.sources.copies import run_copies\nfrom projrun.errors import SourceError",
        "try:\n    run_copies.make_copy(Path('tree'), Path('closed/copies'))\n"
        "except SourceError as error:\n    print(error.message, error.exit_code)",
        folder=tmp_path,
    )
    assert said.startswith("cannot copy the checkout into closed/copies: Permission denied")
    assert said.endswith(" 3\n")


def test_a_place_where_files_cannot_be_locked(
    tree: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a Lustre file system that is mounted without locks."""
    monkeypatch.setattr(locked_folders, "open_locked", lambda file, flags: None)
    with pytest.raises(SourceError, match="files cannot be locked there"):
        make_copy(tree, place)


def test_a_copy_that_disappears_is_no_error(tree: Path, place: Path) -> None:
    copy = make_copy(tree, place)
    lock_file(copy).unlink()
    keep_copy(copy, "the run failed", "some-run")
    assert read_facts(copy) == {}


def test_lock_files_without_a_copy_are_swept(tree: Path, place: Path) -> None:
    used, kept = make_copy(tree, place), make_copy(tree, place)
    keep_copy(kept, "the run failed", "some-run")
    (place / "0123456789abcdef.lock").touch()
    sweep(place)
    assert left(place) == sorted([used.name, f"{used.name}.lock", kept.name, f"{kept.name}.lock"])
    sweep(place / "nowhere")
    assert remove_held(used)


@pytest.mark.parametrize("text", ["", "{", "[]", "\udcff"])
def test_a_damaged_description(tree: Path, place: Path, text: str) -> None:
    copy = make_copy(tree, place)
    keep_copy(copy, "x", "y")
    lock_file(copy).write_text(text, encoding="utf-8", errors="surrogateescape")
    assert read_facts(copy) == {}
