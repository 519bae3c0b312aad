from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from projrun.cache.digests import sha256_for
from projrun.sources.changes import folder_hash as module
from projrun.sources.changes.folder_hash import folder_content, folder_hash, read_files, written_tag
from tests.support.recursion import DEEPER, little_recursion


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a few files."""
    top = tmp_path / "top"
    (top / "a").mkdir(parents=True)
    (top / "a" / "b").write_bytes(b"1\n")
    (top / "a.txt").write_bytes(b"")
    (top / "z").write_bytes(b"3")
    return top


def test_anybody_can_compute_it(folder: Path) -> None:
    (folder / "z").chmod(0o755)
    (folder / "link").symlink_to("a/b")
    (folder / "\udcff").write_bytes(b"4")
    digest = hashlib.sha256()
    for letter, path, content in (
        (b"f", b"a.txt", b""),
        (b"f", b"a/b", b"1\n"),
        (b"l", b"link", b"a/b"),
        (b"x", b"z", b"3"),
        (b"f", b"\xff", b"4"),
    ):
        digest.update(letter + b"\0" + path + b"\0" + hashlib.sha256(content).digest())
    assert folder_hash(folder) == f"sha256:{digest.hexdigest()}"


@pytest.mark.parametrize(
    "change",
    [
        "echo 2 > a/b",
        "mv a/b a/c",
        "mv a b",
        "rm a.txt",
        "touch new",
        "chmod +x z",
        "mv z y && ln -s y z",
        "ln -s nowhere link",
    ],
)
def test_any_change_shows(folder: Path, change: str) -> None:
    before = folder_hash(folder)
    subprocess.run(["bash", "-ec", change], cwd=folder, check=True)
    after = folder_hash(folder)
    assert after.startswith("sha256:")
    assert after != before


@pytest.mark.parametrize(
    "change",
    [
        "touch -d @0 a/b",
        "mkdir .git mlruns a/__pycache__ && touch .git/HEAD mlruns/x a/__pycache__/x a/x.pyc .DS_Store",
        "mkdir env env/lib && touch env/pyvenv.cfg env/lib/x",
        "mkdir -p prefix/conda-meta && touch prefix/conda-meta/history prefix/x",
        "mkdir empty",
        "chmod 600 z",
        "mkfifo pipe",
    ],
)
def test_what_does_not_count(folder: Path, change: str) -> None:
    before = folder_hash(folder)
    subprocess.run(["bash", "-ec", change], cwd=folder, check=True)
    assert folder_hash(folder) == before


def test_a_project_may_be_an_environment_itself(folder: Path) -> None:
    before = folder_hash(folder)
    (folder / "pyvenv.cfg").touch()
    assert folder_hash(folder) != before


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("1")
    (folder / "round").symlink_to(".")
    (folder / "out").symlink_to(tmp_path / "outside")
    before = folder_hash(folder)
    (tmp_path / "outside" / "file").write_text("2")
    assert folder_hash(folder) == before


def test_both_implementations_agree(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = folder_hash(folder)
    monkeypatch.setattr("projrun.cache.digests.FEW_BYTES", -1)
    assert folder_hash(folder) == before
    monkeypatch.undo()
    for name in ("_sha2", "_sha256"):
        monkeypatch.setitem(sys.modules, name, None)
    assert folder_hash(folder) == before


def test_a_large_file_is_read_in_parts(folder: Path) -> None:
    content = os.urandom(3 * 1024 * 1024 + 1)
    (folder / "large").write_bytes(content)
    (folder / "a.txt").unlink()
    (folder / "z").unlink()
    digest = hashlib.sha256()
    for path, text in ((b"a/b", b"1\n"), (b"large", content)):
        digest.update(b"f\0" + path + b"\0" + hashlib.sha256(text).digest())
    assert folder_hash(folder) == f"sha256:{digest.hexdigest()}"


def test_no_more_than_the_limits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "huge").open("wb") as stream:
        stream.truncate(256 * 1024 * 1024)
    assert folder_hash(folder) == "not computed: more than 256 MiB"
    (folder / "huge").unlink()
    monkeypatch.setattr(module, "_MOST_FILES", 2)
    assert folder_hash(folder) == "not computed: more than 2 files"
    monkeypatch.undo()
    monkeypatch.setattr(module, "_TIMEOUT", -1.0)
    assert folder_hash(folder) == "not computed: it would take more than -1 s"


def test_a_large_file_on_a_slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow").write_bytes(b"x" * 20)
    assert folder_hash(tmp_path).startswith("sha256:")
    seconds = itertools.count()
    monkeypatch.setattr(module, "_BLOCK", 1)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    assert folder_hash(tmp_path) == "not computed: it would take more than 5 s"


def test_a_file_that_vanishes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sha256_for

    def slowly(size: int) -> object:
        (folder / "z").unlink()
        return real(size)

    monkeypatch.setattr(module, "sha256_for", slowly)
    assert folder_hash(folder) == "not computed: 'z' cannot be read: No such file or directory"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(folder: Path) -> None:
    (folder / "a").chmod(0)
    assert folder_hash(folder) == "not computed: 'a' cannot be read: Permission denied"
    (folder / "a").chmod(0o700)


def test_a_very_deep_folder(folder: Path) -> None:
    before, place = folder_hash(folder), folder
    for _ in range(DEEPER):
        place /= "d"
        place.mkdir()
    (place / "file").touch()
    with little_recursion():
        after = folder_hash(folder)
    subprocess.run(["rm", "-r", str(folder / "d")], check=True)  # pytest could not
    assert after.startswith("sha256:")
    assert after != before


def test_files_that_are_too_many_are_not_recorded(folder: Path) -> None:
    content = folder_content(folder)
    assert read_files(content.tag) == content.files
    assert [*content.files] == ["a.txt", "a/b", "z"]
    for number in range(300):
        (folder / f"file {number}").touch()
    assert folder_content(folder).tag == ""
    assert written_tag("", folder) == written_tag("[", folder) == ""


def test_what_was_written(folder: Path) -> None:
    before = folder_content(folder)
    assert written_tag(before.tag, folder) == ""
    (folder / "z").write_bytes(b"4")
    (folder / "new").touch()
    (folder / "new.py").touch()
    (folder / "MLproject").touch()
    (folder / "a.txt").unlink()
    assert json.loads(written_tag(before.tag, folder)) == ["new", "z"]
