"""What changed since a moment: new rows by their numbers, and runs that were under way by what they have logged.

The moment is a token with the last row there was, and a mark of each run that was under way.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import InvalidValueError
from projrun.tracking.search.pages import make_token, read_token
from projrun.tracking.sql.engine import CHUNK, Connection, marks
from projrun.tracking.sql.paging import Clause
from projrun.tracking.tables import Changes

_FOLLOWED = CHUNK
"""Runs under way whose values are looked at: the newest."""
_NEW = 10_000
"""Rows that are named as new at most."""
_UNDER_WAY = "('RUNNING', 'SCHEDULED')"


def changes(connection: Connection, within: Clause, since: str) -> Changes:
    """Since a token; `within` names the experiments. Raises InvalidValueError for a token of something else."""
    last, before = _read(since)
    newest: int = connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0]
    under_way = _under_way(connection, within)
    token = make_token([newest, " ".join(f"{row:x}:{mark:x}" for row, mark in under_way.items())])
    if not since:
        return Changes(token, [], [])
    new = connection.execute(
        f"SELECT id FROM runs WHERE id > ? AND {within.text} ORDER BY id DESC LIMIT {_NEW}",
        (last, *within.values),
    )
    changed = [row for row, mark in under_way.items() if row <= last and before.get(row) != mark]
    ended = [row for row in before if row not in under_way]
    return Changes(token, [row for (row,) in new], [*changed, *ended])


def _read(token: str) -> tuple[int, dict[int, int]]:
    if not token:
        return 0, {}
    last, text = read_token(token, (int, str))
    try:
        pairs = [entry.split(":") for entry in text.split()]
        return last, {int(row, 16): int(mark, 16) for row, mark in pairs}
    except ValueError:
        raise InvalidValueError("Invalid token: not issued by this store") from None


def _under_way(connection: Connection, within: Clause) -> dict[int, int]:
    """By row, a mark of what the run has logged: another one after every new value, as good as always."""
    found = connection.execute(
        f"SELECT id FROM runs WHERE status IN {_UNDER_WAY} AND {connection.dialect.unindexed}{within.text}"
        f" ORDER BY start_time DESC, id DESC LIMIT {_FOLLOWED}",
        within.values,
    )
    rows = [row for (row,) in found.fetchall()]
    marks_of = dict.fromkeys(rows, 0)
    for statement in (
        "SELECT run, count(*) * 31 + sum(timestamp % 1000003) * 7 + sum(step % 1000003) FROM series",
        "SELECT run, count(*) * 1009 + sum(length(value)) FROM params",
        "SELECT run, count(*) * 10007 + sum(length(value)) * 3 FROM tags",
    ):
        for row, mark in _of_rows(connection, statement, rows):
            marks_of[row] = (marks_of[row] + int(mark)) & 0xFFFFFFFF
    return marks_of


def _of_rows(connection: Connection, statement: str, rows: Sequence[int]) -> list[tuple[int, int]]:
    if not rows:
        return []
    return connection.execute(f"{statement} WHERE run IN ({marks(rows)}) GROUP BY run", rows).fetchall()
