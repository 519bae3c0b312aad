"""Groups of rows by one column, with statistics of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum, inf, sqrt

from projrun.tracking.sql.engine import Connection
from projrun.tracking.sql.tables.cells import Found, read
from projrun.tracking.sql.tables.finding import sortable
from projrun.tracking.tables import Cell, Column, Group, Statistics


def grouped(
    connection: Connection, rows: Sequence[int], by: Column, metrics: Sequence[Column]
) -> list[Group]:
    """Sorted by the value; a NaN is as if there were none."""
    values, *numbers = read(connection, [by, *metrics], rows)
    members: dict[Cell, list[int]] = {}
    for row in rows:
        value = values.get(row)
        members.setdefault(value if value == value else None, []).append(row)
    alone = members.pop(None, None)
    order = sortable({group[0]: value for value, group in members.items()})
    found = sorted(members.items(), key=lambda item: order[item[1][0]])
    found += [(None, alone)] if alone else []
    return [Group(value, group, [_statistics(column, group) for column in numbers]) for value, group in found]


def _statistics(column: Found, rows: Iterable[int]) -> Statistics | None:
    numbers = [value for row in rows if isinstance(value := column.get(row), float | int) and value == value]
    if not numbers:
        return None
    least, greatest = min(numbers), max(numbers)
    if least == -inf or greatest == inf:
        mean, std = (least if least == -inf else greatest), inf
    else:
        mean = fsum(numbers) / len(numbers)
        std = sqrt(fsum((number - mean) ** 2 for number in numbers) / max(len(numbers) - 1, 1))
    return Statistics(len(numbers), mean, std, least, greatest)
