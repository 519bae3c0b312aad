"""Rows of many statements as one for PostgreSQL; tests/integration/test_postgres.py sends it to a server."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from projrun.tracking.sql.engine import insert, insert_new, upsert
from projrun.tracking.sql.metrics import _ADVANCE
from projrun.tracking.sql.postgres.bulk import columns_of, together, with_key

INTEGERS = bytes.fromhex(
    "00000001 00000000 00000014 00000002 00000001 00000008 0000000000000001 00000008 ffffffffffffffff"
)
TEXTS = bytes.fromhex("00000001 00000001 00000019 00000003 00000001 00000001 61 ffffffff 00000000")


def test_each_column_is_an_array_in_postgresqls_form() -> None:
    found = together(insert_new("t", "a"), [(1,), (-1,)])
    assert found == ("INSERT INTO t (a) SELECT * FROM unnest(?) ON CONFLICT DO NOTHING", [INTEGERS])
    assert together(insert("t", "a"), [("a",), (None,), ("",)]) == (
        "INSERT INTO t (a) SELECT * FROM unnest(?)",
        [TEXTS],
    )


def test_rows_that_begin_with_a_new_rows_key_are_written_with_it() -> None:
    assert with_key(insert("a", "x, y"), insert("b", "a, key, value")) == (
        "WITH made AS (INSERT INTO a (x, y) VALUES (?, ?) RETURNING id)"
        " INSERT INTO b (a, key, value) SELECT made.id, given.* FROM made, unnest(?, ?) AS given"
    )
    assert columns_of([(1, "a"), (-1, None)])[0] == INTEGERS
    with pytest.raises(TypeError):
        columns_of([(1,), ("a",)])


def test_of_an_upsert_the_last_row_for_a_key_counts() -> None:
    statement = upsert("t", "run, key", "value")
    twice = together(statement, [(1, "k", "a"), (2, "k", "b"), (1, "k", "c")])
    assert twice == together(statement, [(1, "k", "c"), (2, "k", "b")])
    assert twice
    assert twice[0] == (
        "INSERT INTO t (run, key, value) SELECT * FROM unnest(?, ?, ?)"
        " ON CONFLICT (run, key) DO UPDATE SET value = excluded.value"
    )


def test_an_update_is_joined_with_its_rows() -> None:
    found = together(_ADVANCE, [(1, 1, 0.5, 0, 1, 0.25, 0.5, 7), (2, 2, 0.5, 0, 1, None, 0.5, 8)])
    assert found
    assert found[0] == (
        "UPDATE series SET step = given.c0, timestamp = given.c1, value = given.c2, is_nan = given.c3,"
        " ordered = given.c4, least = given.c5, greatest = given.c6"
        " FROM unnest(?, ?, ?, ?, ?, ?, ?, ?) AS given (c0, c1, c2, c3, c4, c5, c6, c7) WHERE id = given.c7"
    )


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("DELETE FROM t WHERE a = ?", [(1,), (2,)]),
        ("UPDATE t SET a = (SELECT max(b) FROM t WHERE c = ?)", [(1,), (2,)]),
        ("INSERT INTO t (a, b) VALUES (?, 0)", [(1,), (2,)]),
        (insert("t", "a"), [(1,), ("a",)]),
        (insert("t", "a"), [(None,), (None,)]),
        (insert("t", "a"), [(True,), (False,)]),
        (insert("t", "a"), [(2**63,), (1,)]),
    ],
)
def test_others_are_sent_one_by_one(statement: str, rows: Sequence[Sequence[object]]) -> None:
    assert together(statement, rows) is None
