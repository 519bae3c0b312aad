"""Summaries of long series: for each 512 points where they begin, the least and the greatest of them, and a NaN.

They are made when first asked for and extended as the series grows. A point that comes before their end removes those
from its place on, so each has exactly 512 points.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from projrun.tracking.sql.engine import Connection, Row, insert_new

POINTS = 512
"""Points in one summary."""
_AT_ONCE = 50
"""Summaries made in one transaction: other writers wait for it."""
Point = tuple[int, int, float, int]
"""Step, timestamp, value, and 1 for a NaN."""

_step, _value, _is_nan = itemgetter(0), itemgetter(2), itemgetter(3)
_new = tuple.__new__
"""Of records by the thousand: their own constructors are functions of Python."""
COLUMNS = "step, timestamp, value, is_nan"
_FIRST = "first_step, first_timestamp, first_value, first_is_nan"
_INSERT = insert_new(
    "summaries",
    f"series, number, points, stride, {_FIRST}, last_step, last_timestamp, least, least_step, least_timestamp,"
    " greatest, greatest_step, greatest_timestamp, nan_step, nan_timestamp",
)


class Summary(NamedTuple):
    """Where one summary begins, and how its steps go on: each by `stride`, or 0 where they are not that even."""

    stride: int
    step: int
    timestamp: int
    value: float
    is_nan: int

    @property
    def first(self) -> Point:
        """The point."""
        return self[1:]


class Last(NamedTuple):
    """The number of a series' last summary, and where it begins."""

    number: int
    first: Point


class Extremes(NamedTuple):
    """The least and the greatest point of a summary, None where all are NaN; and its first NaN."""

    least: Point | None
    greatest: Point | None
    nan: Point | None


def forget(connection: Connection, series: int, step: int, timestamp: int) -> None:
    """Remove what a new point makes wrong."""
    connection.execute(
        "DELETE FROM summaries WHERE series = ? AND (last_step, last_timestamp) >= (?, ?)",
        (series, step, timestamp),
    )
    _note_end(connection, series)


def needed(connection: Connection, series: int, long: int) -> bool:
    """Whether there are points for one more summary; where there is none yet, from `long` points on."""
    first = "SELECT 1 FROM summaries WHERE series = ? LIMIT 1"
    if connection.execute(first, (series,)).fetchone() is None:
        far = f"SELECT 1 FROM points WHERE series = ? LIMIT 1 OFFSET {long - 1}"
        if connection.execute(far, (series,)).fetchone() is None:
            return False
    where, values = _rest(connection, series)
    last = f"SELECT 1 FROM points WHERE {where} ORDER BY {COLUMNS} LIMIT 1 OFFSET {POINTS - 1}"
    return connection.execute(last, values).fetchone() is not None


def extend(connection: Connection, series: int) -> bool:
    """Summarize some of what is not yet; False where all is, but for the last points that are too few."""
    # Whoever logs to the series waits: a point that comes before the end would be missing.
    connection.execute(f"SELECT id FROM series WHERE id = ?{connection.dialect.lock}", (series,)).fetchall()
    number = _count(connection, series)
    where, values = _rest(connection, series)
    points: list[Point] = connection.execute(
        f"SELECT {COLUMNS} FROM points WHERE {where} ORDER BY {COLUMNS} LIMIT {_AT_ONCE * POINTS}", values
    ).fetchall()
    made = [
        _summarize(series, number + place, points[start : start + POINTS])
        for place, start in enumerate(range(0, len(points) - POINTS + 1, POINTS))
    ]
    connection.executemany(_INSERT, made)
    _note_end(connection, series)
    return len(made) == _AT_ONCE


def read(connection: Connection, series: int) -> list[Summary]:
    """All of a series."""
    rows = connection.execute(
        f"SELECT stride, {_FIRST} FROM summaries WHERE series = ? ORDER BY number", (series,)
    )
    return [_new(Summary, row) for row in rows.fetchall()]


def read_last(connection: Connection, series: int) -> Last | None:
    """None for a series without summaries."""
    row = connection.execute(
        f"SELECT number, {_FIRST} FROM summaries WHERE series = ? ORDER BY number DESC LIMIT 1", (series,)
    ).fetchone()
    return row and Last(row[0], row[1:])


def read_extremes(connection: Connection, series: int, first: int, last: int) -> list[Extremes]:
    """Those of the summaries from one number to before another."""
    rows = connection.execute(
        "SELECT least_step, least_timestamp, least, 0, greatest_step, greatest_timestamp, greatest, 0,"
        " nan_step, nan_timestamp FROM summaries WHERE series = ? AND number >= ? AND number < ? ORDER BY number",
        (series, first, last),
    )
    return [_stored(row) for row in rows]


def least_and_greatest(points: Sequence[Point]) -> Extremes:
    """Of any points; NaN is neither."""
    nan = None
    if any(map(_is_nan, points)):
        nan = next(point for point in points if point[3])
        points = [point for point in points if not point[3]]
    if not points:
        return Extremes(None, None, nan)
    values = [*map(_value, points)]
    return Extremes(points[values.index(min(values))], points[values.index(max(values))], nan)


def _stored(row: Row) -> Extremes:
    nan = None if row[8] is None else (row[8], row[9], 0.0, 1)
    both = (None, None) if row[2] is None else (row[:4], row[4:8])
    return _new(Extremes, (*both, nan))


def _count(connection: Connection, series: int) -> int:
    statement = "SELECT coalesce(max(number) + 1, 0) FROM summaries WHERE series = ?"
    number: int = connection.execute(statement, (series,)).fetchone()[0]
    return number


def _rest(connection: Connection, series: int) -> tuple[str, Sequence[object]]:
    """The condition of the points after the summaries."""
    last = connection.execute(
        f"SELECT {_FIRST} FROM summaries WHERE series = ? ORDER BY number DESC LIMIT 1", (series,)
    ).fetchone()
    if last is None:
        return "series = ?", (series,)
    end = connection.execute(
        f"SELECT {COLUMNS} FROM points WHERE series = ? AND ({COLUMNS}) >= (?, ?, ?, ?) ORDER BY {COLUMNS}"
        f" LIMIT 1 OFFSET {POINTS - 1}",
        (series, *last),
    ).fetchone()
    return f"series = ? AND ({COLUMNS}) > (?, ?, ?, ?)", (series, *end)


def _summarize(series: int, number: int, points: Sequence[Point]) -> Row:
    first, last = points[0], points[-1]
    least, greatest, nan = least_and_greatest(points)
    steps = [*map(_step, points)]
    stride = steps[1] - steps[0]
    if stride < 1 or steps != list(range(steps[0], steps[0] + stride * POINTS, stride)):
        stride = 0
    extremes = [
        value for point in (least, greatest) for value in ((None,) * 3 if point is None else _by_value(point))
    ]
    nan_at = (None, None) if nan is None else nan[:2]
    return (series, number, len(points), stride, *first, *last[:2], *extremes, *nan_at)


def _by_value(point: Point) -> tuple[float, int, int]:
    return point[2], point[0], point[1]


def _note_end(connection: Connection, series: int) -> None:
    last = "FROM summaries WHERE series = ? ORDER BY number DESC LIMIT 1"
    connection.execute(
        f"UPDATE series SET summarized_step = (SELECT last_step {last}),"
        f" summarized_timestamp = (SELECT last_timestamp {last}) WHERE id = ?",
        (series, series, series),
    )
