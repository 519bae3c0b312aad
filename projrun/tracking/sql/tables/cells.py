"""Cells by column: through the index on keys where many rows are asked for, else row by row."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from projrun.errors import InvalidValueError
from projrun.tracking.sql.engine import CHUNK, Connection, Row, marks
from projrun.tracking.tables import ATTRIBUTES, LONGEST, Cell, Column

_NAN = float("nan")
_FEW = 2_000
"""Rows that are always asked for one by one."""
_DENSE = 8
"""One row in so many: from then on it costs less to read all that an index has."""
_KEYS = 32
"""Columns of a kind from which on all of a run's are read."""

_ATTRIBUTES: Mapping[str, str] = {
    **{name: name for name in ATTRIBUTES},
    "experiment_id": "CAST(experiment_id AS TEXT)",
    "run_name": f"substr(run_name, 1, {LONGEST})",
    "duration": "end_time - start_time",
}
_TEXT = f"SELECT run, key, substr(value, 1, {LONGEST}) FROM"
_LAST = "SELECT run, key, CASE WHEN is_nan = 1 THEN NULL ELSE value END FROM series WHERE latest = 1 AND"

Found = dict[int, Cell]
"""By row."""


def read(connection: Connection, columns: Sequence[Column], rows: Sequence[int]) -> list[Found]:
    """The cells of each column; a row that is missing has none there."""
    found: list[Found] = [{} for _ in columns]
    for name in {(column.kind, column.aggregate) for column in columns}:
        places = {
            column.key: place
            for place, column in reversed([*enumerate(columns)])
            if (column.kind, column.aggregate) == name
        }
        if name[0] == "attribute":
            _read_attributes(connection, places, rows, found)
            continue
        nothing = _NAN if name[0] == "metric" else None
        for row, key, value in _pairs(connection, _statement(*name), list(places), rows):
            place = places.get(key)
            if place is not None:
                found[place][row] = nothing if value is None else value
    for place, column in enumerate(columns):
        if (first := columns.index(column)) != place:
            found[place] = found[first]
    return found


def _statement(kind: str, aggregate: str) -> str:
    """A SELECT of rows, keys and values; `{where}` is about `run` and `key`."""
    if kind in ("param", "tag"):
        return f"{_TEXT} {kind}s WHERE {{where}}"
    if aggregate == "last":
        return f"{_LAST} {{where}}"
    kept = {"min": "least", "max": "greatest"}[aggregate]
    return f"SELECT run, key, {aggregate}({kept}) FROM series WHERE {kept} IS NOT NULL AND {{where}} GROUP BY run, key"


def _pairs(connection: Connection, statement: str, keys: Sequence[str], rows: Sequence[int]) -> Iterator[Row]:
    if _are_dense(connection, rows):
        for key in keys:
            yield from connection.execute(statement.format(where="key = ?"), (key,))
        return
    narrow = f" AND key IN ({marks(keys)})" if len(keys) <= _KEYS else ""
    size = CHUNK - len(keys) if narrow else CHUNK
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size]
        where = f"run IN ({marks(chunk)}){narrow}"
        yield from connection.execute(statement.format(where=where), (*chunk, *(keys if narrow else ())))


def _are_dense(connection: Connection, rows: Sequence[int]) -> bool:
    if len(rows) <= _FEW:
        return False
    last: int = connection.execute("SELECT max(id) FROM runs").fetchone()[0]
    return len(rows) * _DENSE >= last


def _read_attributes(
    connection: Connection, places: Mapping[str, int], rows: Sequence[int], found: list[Found]
) -> None:
    for key in places:
        if key not in _ATTRIBUTES:
            raise InvalidValueError(f"no attribute {key!r}; one of: {', '.join(ATTRIBUTES)}")
    columns = ", ".join(_ATTRIBUTES[key] for key in places)
    targets = [found[place] for place in places.values()]
    for row, *values in _runs(connection, f"SELECT id, {columns} FROM runs WHERE", rows):
        for target, value in zip(targets, values, strict=True):
            target[row] = value


def _runs(connection: Connection, statement: str, rows: Sequence[int]) -> Iterator[Row]:
    first, last = min(rows, default=0), max(rows, default=0)
    if len(rows) > _FEW and len(rows) * _DENSE >= last - first:
        yield from connection.execute(f"{statement} id BETWEEN ? AND ?", (first, last))
        return
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        yield from connection.execute(f"{statement} id IN ({marks(chunk)})", chunk)
