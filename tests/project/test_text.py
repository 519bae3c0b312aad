"""The encodings of a project's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.project.text import LocatedError, decode, read_text
from tests.project.support import load_text

MLPROJECT = "entry_points:\n  main: {command: 'echo é'}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_project_in_the_encodings_of_yaml(tmp_path: Path, encoding: str) -> None:
    assert load_text(tmp_path, MLPROJECT.encode(encoding)).entry_points["main"].command == "echo é"


@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]),
)
def test_a_byte_order_mark_says_how_to_read(text: str, encoding: str) -> None:
    assert decode("f", f"\ufeff{text}".encode(encoding)) == text


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a\nb\xe9c", "f:2:2: byte 0xe9 is not UTF-8 text"),
        ("a\nb".encode("utf-16") + b"\xe9", "f:2:2: byte 0xe9 is not UTF-16 text"),
        ("ab".encode("utf-32") + b"\xe9", "f:1:3: byte 0xe9 is not UTF-32 text"),
    ],
)
def test_what_is_no_text_has_a_place(tmp_path: Path, data: bytes, problem: str) -> None:
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(LocatedError) as caught:
        read_text(tmp_path / "f", "f")
    assert caught.value.message == problem
