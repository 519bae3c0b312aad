"""Files that grow, are written again, or have lines without end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.running.outputs import growth
from projrun.running.outputs.growth import Growth


def read(file: Growth, *, whole: bool = False) -> bytes:
    return b"".join(file.blocks(whole=whole))


def test_a_line_that_is_not_whole_waits(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = Growth(path)
    path.write_bytes(b"one\ntw")
    assert read(file) == b"one\n"
    path.write_bytes(b"one\ntwo\nthr")
    assert read(file) == b"two\n"
    assert read(file) == b""
    assert read(file, whole=True) == b"thr"
    assert file.restarts == 0


def test_a_file_that_is_written_again_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = Growth(path)
    path.write_bytes(b"one\ntwo\n")
    read(file)
    path.write_bytes(b"on")
    assert read(file) == b""
    path.write_bytes(b"one\ntwX\nmore\n")
    assert read(file) == b"one\ntwX\nmore\n"
    other = tmp_path / "other"
    other.write_bytes(b"one\ntwX\nmore\n")
    other.replace(path)
    assert read(file) == b"one\ntwX\nmore\n"
    assert file.restarts >= 2


def test_a_line_that_is_too_long_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "BLOCK", 8)
    path = tmp_path / "log"
    path.write_bytes(b"a\n" + b"x" * 100 + b"\nb\nc")
    assert read(Growth(path), whole=True).split() == [b"a", b"b", b"c"]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_lines_come_once_however_the_file_grows(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int]
) -> None:
    path = tmp_path_factory.getbasetemp() / "grows"
    path.write_bytes(b"")
    file, got = Growth(path), b""
    for cut in (*sorted(cuts), len(content)):
        path.write_bytes(content[: max(cut, path.stat().st_size)])
        got += read(file)
    assert got + read(file, whole=True) == content


def test_what_is_no_file_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "missing"):
        with pytest.raises(OSError, match=r"not a regular file|No such file"):
            read(Growth(tmp_path / name))
