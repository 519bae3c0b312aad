"""Which rows, in which order: found by the search's own statements, sorted by whole columns."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence
from operator import ne
from typing import Any

from projrun.tracking.sql.choices import Wanted, in_experiments
from projrun.tracking.sql.engine import UNLIMITED, Connection
from projrun.tracking.sql.plans import find
from projrun.tracking.sql.search import Search, wanted_runs
from projrun.tracking.sql.tables.cells import Found, read, select_rows
from projrun.tracking.tables import Cell, Order, Selection

_DELETED = "SELECT id FROM runs WHERE lifecycle_stage <> 'active' AND"


def matching(connection: Connection, selection: Selection) -> list[int]:
    """The rows of a selection, the newest first. Raises InvalidValueError."""
    experiment_ids, filter_string, view_type = selection
    wanted = wanted_runs(experiment_ids, view_type, Search(filter_string))
    if not wanted.comparisons:
        return _all(connection, wanted)
    return [row[0] for row in find(connection, wanted._replace(columns="id", limit=UNLIMITED))]


def _all(connection: Connection, wanted: Wanted) -> list[int]:
    """By the index alone, which does not have the stage of a run: it is asked which runs are deleted."""
    found = connection.execute(
        f"SELECT id FROM runs WHERE {in_experiments(wanted).text} ORDER BY start_time DESC, id DESC"
    )
    rows = [row for (row,) in found]
    if len(wanted.stages) > 1:
        return rows
    deleted = {row for (row,) in select_rows(connection, _DELETED, rows)}
    if wanted.stages[0] == "deleted":
        return [row for row in rows if row in deleted]
    return [row for row in rows if row not in deleted] if deleted else rows


def in_order(connection: Connection, rows: list[int], orders: Sequence[Order]) -> list[int]:
    """The rows sorted: by the last order first, since sorting keeps what is alike as it was."""
    for column, descending in reversed(orders):
        values = read(connection, [column], rows)[0]
        if column.kind in ("param", "tag"):
            values = sortable(values)
        rows = _sorted(rows, values, descending=descending)
    return rows


def sortable(found: Found) -> dict[int, Any]:
    """Values that compare with each other: texts become numbers where all of them are."""
    texts = {value for value in found.values() if isinstance(value, str)}
    numbers = _numbers(texts)
    return {row: numbers[value] for row, value in found.items()} if numbers else found


def _numbers(texts: set[str]) -> dict[Cell, float]:
    """By text; empty where one is none."""
    try:
        numbers: dict[Cell, float] = {text: float(text) for text in texts}
    except ValueError:
        return {}
    return numbers if all(number == number for number in numbers.values()) else {}


def _sorted(rows: list[int], values: dict[int, Any], *, descending: bool) -> list[int]:
    """NaN, which differs from itself, comes after the numbers, and what is missing last."""
    found = [*map(values.get, rows)]
    if None not in found and not any(map(ne, found, found)):
        return sorted(rows, key=values.__getitem__, reverse=descending)
    pairs = [*zip(rows, found, strict=True)]
    present = [row for row, value in pairs if value is not None and value == value]
    present.sort(key=values.__getitem__, reverse=descending)
    present += [row for row, value in pairs if value != value]
    return [*present, *(row for row, value in pairs if value is None)]
