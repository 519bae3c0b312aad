"""Tables in pieces."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.models.serving.prediction import rows

CELLS = st.lists(st.text(st.sampled_from('ab",\n é'), max_size=6), min_size=2, max_size=2)


def written(table: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
    return text.getvalue().encode()


def read(piece: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(piece.decode(), newline="")))


@given(st.lists(CELLS, min_size=1, max_size=20), st.integers(1, 60))
def test_pieces_are_tables_with_the_same_head_and_all_rows(table: list[list[str]], size: int) -> None:
    pieces = [read(piece) for piece in rows(io.BytesIO(written(table)), size)]
    assert {tuple(piece[0]) for piece in pieces} == {tuple(table[0])}
    assert [row for piece in pieces for row in piece[1:]] == table[1:]


def test_pieces_are_no_larger_than_asked_for_and_a_row() -> None:
    table = b"a,b\n" + b"1,2\n" * 1000
    pieces = list(rows(io.BytesIO(table), 100))
    assert len(pieces) == 40
    assert max(map(len, pieces)) == 104


@pytest.mark.parametrize("table", [b"", b"a,b", b"a,b\n"])
def test_a_table_without_rows_is_one_piece(table: bytes) -> None:
    assert [piece.strip() for piece in rows(io.BytesIO(table))] == [table.strip()]


def test_an_open_quote_takes_the_rest() -> None:
    table = b'a\n"' + b"x\n" * 100_000
    assert list(rows(io.BytesIO(table))) == [table]
