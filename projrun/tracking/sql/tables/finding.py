"""Which rows, in which order: found by the search's own statements, sorted by whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projrun.tracking.sql.engine import UNLIMITED, Connection
from projrun.tracking.sql.plans import find
from projrun.tracking.sql.search import Search, wanted_runs
from projrun.tracking.sql.tables.cells import Found, read
from projrun.tracking.tables import Cell, Order, Selection


def matching(connection: Connection, selection: Selection) -> list[int]:
    """The rows of a selection, the newest first. Raises InvalidValueError."""
    experiment_ids, filter_string, view_type = selection
    wanted = wanted_runs(experiment_ids, view_type, Search(filter_string))
    return [row[0] for row in find(connection, wanted._replace(columns="id", limit=UNLIMITED))]


def in_order(connection: Connection, rows: list[int], orders: Sequence[Order]) -> list[int]:
    """The rows sorted: by the last order first, since sorting keeps what is alike as it was."""
    for column, descending in reversed(orders):
        rows = _sorted(rows, sortable(read(connection, [column], rows)[0]), descending=descending)
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
    present = [row for row in rows if (value := values.get(row)) is not None and value == value]
    present.sort(key=values.__getitem__, reverse=descending)
    if len(present) == len(rows):
        return present
    missing = [row for row in rows if values.get(row) is None]
    known = {*present, *missing}
    return [*present, *(row for row in rows if row not in known), *missing]
