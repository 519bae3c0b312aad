"""Which keys the runs of a selection have, and in which they differ.

Of many runs, the newest and some spread over the others are looked at. Keys that none of those has are found by the
index on keys.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from projrun.tracking.sql.engine import CHUNK, Connection, marks
from projrun.tracking.sql.paging import beginning
from projrun.tracking.tables import ColumnKind, KnownColumn, KnownColumns

_CELLS = 60_000
"""That are looked at, as far as a few runs tell."""
_FEWEST, _MOST = 100, 2_000
"""Runs that are looked at."""
_RARE = 500
"""Keys of other runs that are looked for, and rows of each."""
_TABLES: dict[ColumnKind, tuple[str, str, str]] = {
    "metric": ("series", "value + is_nan", "latest = 1"),
    "param": ("params", beginning("value"), "1 = 1"),
    "tag": ("tags", beginning("value"), "1 = 1"),
}
"""Where the keys of a kind are, what differs, and which rows count."""


class _Seen:
    """What is known of one key."""

    def __init__(self) -> None:
        self.runs = 0
        self.least: Any = None
        self.greatest: Any = None

    def add(self, runs: int, least: Any, greatest: Any) -> None:
        self.least = least if not self.runs else min(self.least, least)
        self.greatest = greatest if not self.runs else max(self.greatest, greatest)
        self.runs += runs


def known(connection: Connection, rows: Sequence[int]) -> KnownColumns:
    """The keys of these rows."""
    looked_at = _sample(connection, rows)
    everywhere: Set[int] = frozenset() if len(looked_at) == len(rows) else set(rows)
    found: list[KnownColumn] = []
    for kind in _TABLES:
        seen = _look(connection, kind, looked_at)
        if everywhere:
            _add_rare(connection, kind, everywhere, seen)
        found += [
            KnownColumn(
                kind, key, of_key.runs, _differs(connection, kind, key, of_key, looked_at, everywhere)
            )
            for key, of_key in sorted(seen.items())
        ]
    return KnownColumns(len(rows), len(looked_at), found)


def _sample(connection: Connection, rows: Sequence[int]) -> Sequence[int]:
    if len(rows) <= _FEWEST:
        return rows
    few = rows[:10]
    cells = sum(
        connection.execute(f"SELECT count(*) FROM {table} WHERE run IN ({marks(few)})", few).fetchone()[0]
        for table, _, _ in _TABLES.values()
    )
    most = max(min(_CELLS * len(few) // max(cells, 1), _MOST), _FEWEST)
    if len(rows) <= most:
        return rows
    newest = most // 2
    rest = len(rows) - newest
    spread = [rows[newest + place * rest // (most - newest)] for place in range(most - newest)]
    return [*rows[:newest], *spread]


def _look(connection: Connection, kind: ColumnKind, rows: Sequence[int]) -> dict[str, _Seen]:
    table, value, where = _TABLES[kind]
    seen: dict[str, _Seen] = {}
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        found = connection.execute(
            f"SELECT key, count(*), min({value}), max({value}) FROM {table}"
            f" WHERE run IN ({marks(chunk)}) AND {where} GROUP BY key",
            chunk,
        )
        for key, runs, least, greatest in found:
            seen.setdefault(key, _Seen()).add(runs, least, greatest)
    return seen


def _add_rare(connection: Connection, kind: ColumnKind, rows: Set[int], seen: dict[str, _Seen]) -> None:
    table, value, where = _TABLES[kind]
    following = f"SELECT min(key) FROM {table} WHERE {where}"
    keys = connection.execute(
        f"WITH RECURSIVE known(key) AS ({following} UNION ALL"
        f" SELECT ({following} AND {table}.key > known.key) FROM known WHERE known.key IS NOT NULL)"
        " SELECT key FROM known WHERE key IS NOT NULL"
    )
    rare = [key for (key,) in keys if key not in seen]
    for key in rare[:_RARE]:
        found = connection.execute(
            f"SELECT run, {value} FROM {table} WHERE key = ? AND {where} LIMIT {_RARE}", (key,)
        )
        for run, of_run in found.fetchall():
            if run in rows:
                seen.setdefault(key, _Seen()).add(1, of_run, of_run)


def _differs(
    connection: Connection,
    kind: ColumnKind,
    key: str,
    seen: _Seen,
    looked_at: Sequence[int],
    everywhere: Set[int],
) -> bool:
    """Whether runs differ, also in that some have no value; beside a sample, in any run near its least or greatest."""
    if seen.least != seen.greatest or seen.runs < len(looked_at):
        return True
    if not everywhere or kind == "metric":
        return False
    table, value, where = _TABLES[kind]
    for sign, order in (("<", ""), (">", " DESC")):
        found = connection.execute(
            f"SELECT run FROM {table} WHERE key = ? AND {where} AND {value} {sign} ? ORDER BY {value}{order}"
            f" LIMIT {_RARE}",
            (key, seen.least),
        )
        if any(run in everywhere for (run,) in found):
            return True
    return False
