"""Files for their owner alone, put in their place whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from projrun.cache.private_files import read_private, replace_private, write_private


def test_a_file_is_replaced_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "facts"
    file.write_bytes(b"old and longer")
    file.chmod(0o666)
    replace_private(file, b"new \xff")
    assert file.read_bytes() == b"new \xff"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other, file = tmp_path / "other", tmp_path / "facts"
    other.write_text("kept")
    file.symlink_to(other)
    replace_private(file, b"new")
    assert (other.read_text(), file.is_symlink(), file.read_text()) == ("kept", False, "new")


def test_what_cannot_be_put_in_its_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "facts" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="facts"):
        replace_private(tmp_path / "facts", b"new")
    assert [found.name for found in tmp_path.iterdir()] == ["facts"]


def test_an_existing_file_is_never_written(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_private(file, "first")
    with pytest.raises(FileExistsError):
        write_private(file, "second")
    assert read_private(file) == "first"
