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
    dense: bool | None = None
    for name in {(column.kind, column.aggregate) for column in columns}:
        places = {
            column.key: place
            for place, column in reversed([*enumerate(columns)])
            if (column.kind, column.aggregate) == name
        }
        if name[0] == "attribute":
            _read_attributes(connection, places, rows, found)
            continue
        if dense is None:
            dense = are_dense(connection, rows)
        if dense:
            _read_whole(connection, name, places, found)
        else:
            _read_some(connection, name, places, rows, found)
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


def _read_whole(
    connection: Connection, name: tuple[str, str], places: Mapping[str, int], found: list[Found]
) -> None:
    """All that the index has of each key: a hundred thousand rows, without a step of Python for each."""
    statement = _statement(*name).replace("SELECT run, key,", "SELECT run,").format(where="key = ?")
    for key, place in places.items():
        values: Found = dict(connection.execute(statement, (key,)))
        if name[0] == "metric" and None in values.values():
            values = {row: _NAN if value is None else value for row, value in values.items()}
        found[place] = values


def _read_some(
    connection: Connection,
    name: tuple[str, str],
    places: Mapping[str, int],
    rows: Sequence[int],
    found: list[Found],
) -> None:
    nothing = _NAN if name[0] == "metric" else None
    keys = list(places) if len(places) <= _KEYS else []
    narrow = f" AND key IN ({marks(keys)})" if keys else ""
    for start in range(0, len(rows), CHUNK - len(keys)):
        chunk = rows[start : start + CHUNK - len(keys)]
        statement = _statement(*name).format(where=f"run IN ({marks(chunk)}){narrow}")
        for row, key, value in connection.execute(statement, (*chunk, *keys)):
            place = places.get(key)
            if place is not None:
                found[place][row] = nothing if value is None else value


def are_dense(connection: Connection, rows: Sequence[int]) -> bool:
    """Whether so many of all runs are asked for that all are read."""
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
    read = [*zip(*select_rows(connection, f"SELECT id, {columns} FROM runs WHERE", rows), strict=True)]
    for target, values in zip(targets, read[1:], strict=False):
        target.update(zip(read[0], values, strict=True))


def select_rows(connection: Connection, statement: str, rows: Sequence[int]) -> Iterator[Row]:
    """Of a statement that ends with WHERE or AND, those of some rows, and maybe of others between them."""
    first, last = min(rows, default=0), max(rows, default=0)
    if len(rows) > _FEW and len(rows) * _DENSE >= last - first:
        yield from connection.execute(f"{statement} id BETWEEN ? AND ?", (first, last))
        return
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        yield from connection.execute(f"{statement} id IN ({marks(chunk)})", chunk)
