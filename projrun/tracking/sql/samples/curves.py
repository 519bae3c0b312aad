"""`SqlCurves`: curves from whole histories as long as that is quick, else from their summaries."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import ceil, floor, inf, isnan
from operator import itemgetter
from typing import NamedTuple

from projrun.errors import InvalidValueError
from projrun.tracking.curves import MOST_CURVES, MOST_POINTS, Axis, Curve
from projrun.tracking.sql.engine import Connection, Engine, in_list, marks
from projrun.tracking.sql.samples.long_series import LongSeries
from projrun.tracking.sql.samples.store import spread
from projrun.tracking.sql.samples.summaries import COLUMNS, Point, extend, needed
from projrun.tracking.sql.samples.thinning import thinned

LONG = 4_000
"""Points from which on a series is summarized: several curves are drawn together, again and again."""
_WHOLE = (400_000, 40_000)
"""Points of all curves of a request that are read whole; of series whose steps are even."""
_AT_LEAST = (4_000, 1_000)
"""Points of one curve that are always read whole; of such a series."""
_PATIENCE = 1.0
"""Seconds of a patient request in which summaries are made; the other curves are rough."""
_FIRST_LOOK = 0.1
"""Of others: who asks wants to see something, and asks again."""
_ROUGH = 200
"""Points of a rough curve."""
_ROUGH_IN_ALL = 6_000
"""Of all in a request, as far as each has a fifth of `_ROUGH`."""
_GROWING = threading.Lock()
"""Of the request of this process that makes summaries: others would wait for its transactions."""
_LEAST, _GREATEST = -(2**63), 2**63 - 1


class _Source(NamedTuple):
    """Where a curve is: its series, and how time and x are related."""

    series: tuple[int, ...]
    ordered: bool
    begin: int
    """Of the run: where relative time is 0."""


class _Window(NamedTuple):
    """What is asked of a curve."""

    axis: Axis
    first: int
    last: int
    points: int
    whole: tuple[int, int]
    """Up to so many points, all are read; of series whose steps are even."""
    rough: int
    """Points of a rough curve."""


class SqlCurves:
    """The `Curves` of a database."""

    _hurried = 0
    """Requests of this process so far that were not patient: one that is makes way for them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def curves(
        self,
        series: Sequence[tuple[str, str]],
        *,
        points: int = 1_000,
        axis: Axis = "step",
        between: tuple[float | None, float | None] = (None, None),
        patient: bool = False,
    ) -> list[Curve]:
        """Those of some runs and keys, in their order; see `Curves`."""
        if len(series) > MOST_CURVES:
            raise InvalidValueError(f"at most {MOST_CURVES} curves in one request, not {len(series)}")
        if not 10 <= points <= MOST_POINTS:
            raise InvalidValueError(f"a curve has 10 to {MOST_POINTS} points, not {points}")
        first, last = _bounds(between)
        count = max(len(series), 1)
        few = min(max(_ROUGH_IN_ALL // count, _ROUGH // 5), _ROUGH)
        whole = (max(_WHOLE[0] // count, _AT_LEAST[0]), max(_WHOLE[1] // count, _AT_LEAST[1]))
        window = _Window(axis, first, last, points, whole, few)
        with self._engine.reading() as connection:
            sources = _sources(connection, series)
            growing = [source.series[0] for source in sources.values() if _must_grow(connection, source)]
        if not patient:
            SqlCurves._hurried += 1
        rough = self._grow(growing, _PATIENCE if patient else _FIRST_LOOK)
        with self._engine.reading() as connection:
            return [_curve(connection, name, sources.get(name), window, rough=rough) for name in series]

    def _grow(self, growing: Sequence[int], patience: float) -> frozenset[int]:
        """Make summaries as long as there is time; those that have to do without."""
        deadline = time.monotonic() + patience
        if not growing or not _GROWING.acquire(timeout=patience / 10):
            return frozenset(growing)
        try:
            hurried, left = SqlCurves._hurried, []
            for number in growing:
                complete = False
                while not complete and time.monotonic() < deadline and hurried == SqlCurves._hurried:
                    with self._engine.writing() as connection:
                        complete = not extend(connection, number)
                if not complete:
                    left.append(number)
            return frozenset(left)
        finally:
            _GROWING.release()


def _bounds(between: tuple[float | None, float | None]) -> tuple[int, int]:
    first, last = (-inf if between[0] is None else between[0]), (inf if between[1] is None else between[1])
    if isnan(first) or isnan(last):
        raise InvalidValueError("a range of curves has numbers as its ends")
    low = ceil(max(first, _LEAST)) if first < _GREATEST else _GREATEST
    return low, floor(min(last, _GREATEST)) if last > _LEAST else _LEAST


def _sources(connection: Connection, series: Sequence[tuple[str, str]]) -> dict[tuple[str, str], _Source]:
    """By run and key; a metric that was logged for several models or datasets has several series."""
    found: dict[tuple[str, str], _Source] = {}
    by_key: dict[str, list[str]] = {}
    for run_id, key in series:
        by_key.setdefault(key, []).append(run_id)
    for key, run_ids in by_key.items():
        for start in range(0, len(run_ids), 400):
            chunk = run_ids[start : start + 400]
            rows = connection.execute(
                "SELECT runs.run_id, series.id, series.ordered, runs.start_time FROM runs"
                " JOIN series ON series.run = runs.id"
                f" WHERE runs.run_id IN ({marks(chunk)}) AND series.key = ? ORDER BY series.id",
                (*chunk, key),
            )
            for run_id, number, ordered, begin in rows.fetchall():
                known = found.get((run_id, key))
                numbers = (*known.series, number) if known else (number,)
                found[run_id, key] = _Source(numbers, bool(ordered) and known is None, begin)
    return found


def _must_grow(connection: Connection, source: _Source) -> bool:
    return len(source.series) == 1 and needed(connection, source.series[0], LONG)


def _curve(
    connection: Connection,
    name: tuple[str, str],
    source: _Source | None,
    window: _Window,
    *,
    rough: frozenset[int],
) -> Curve:
    if source is None:
        return Curve(*name, 0, False, [], [])
    if window.axis == "relative":
        window = window._replace(
            first=max(window.first + source.begin, _LEAST), last=min(window.last + source.begin, _GREATEST)
        )
    long = None
    if source.series[0] in rough:
        points = _rough(connection, source.series[0], window)
        return _shaped(name, source, window, points, len(points), rough=True)
    if len(source.series) == 1 and (window.axis == "step" or source.ordered):
        long = LongSeries.read(connection, source.series[0])
    if long is not None:
        first, end = _places(long, window)
        if end - first > window.whole[long.is_even(first, end)]:
            points = _peaks(long, first, end, window.points)
            return _shaped(name, source, window, points, end - first, rough=False)
    points = _read(connection, source, window)
    return _shaped(name, source, window, points, len(points), rough=False)


def _peaks(long: LongSeries, first: int, end: int, most: int) -> list[Point]:
    """Of a range of few summaries, what their peaks would not show."""
    points = long.peaks(first, end)
    left = most - len(points)
    if left > len(points) and long.is_even(first, end):
        points += long.at(spread(first, end, left))
    return sorted(set(points))


def _places(long: LongSeries, window: _Window) -> tuple[int, int]:
    if window.axis != "step":
        return long.places(long.steps_of(window.first, window.last))
    return long.places((window.first, min(window.last, _GREATEST - 1)))


def _read(connection: Connection, source: _Source, window: _Window) -> list[Point]:
    column = "step" if window.axis == "step" else "timestamp"
    where, values = in_list("series", source.series), [*source.series]
    if window.first > _LEAST or window.last < _GREATEST:
        where, values = f"{where} AND {column} >= ? AND {column} <= ?", [*values, window.first, window.last]
    distinct = "DISTINCT " if len(source.series) > 1 else ""
    rows = connection.execute(
        f"SELECT {distinct}{COLUMNS} FROM points WHERE {where} ORDER BY {COLUMNS}", values
    )
    return rows.fetchall()


def _rough(connection: Connection, number: int, window: _Window) -> list[Point]:
    """Points at steps that are spread evenly: all at once where these steps are there, else each found by itself."""
    edges = [
        connection.execute(
            f"SELECT step FROM points WHERE series = ? ORDER BY step {order} LIMIT 1", (number,)
        ).fetchone()[0]
        for order in ("ASC", "DESC")
    ]
    if window.axis == "step":
        edges = [max(edges[0], window.first), min(edges[1], window.last)]
    steps = [edges[0] + (edges[1] - edges[0]) * place // window.rough for place in range(window.rough + 1)]
    select = f"SELECT {COLUMNS} FROM points WHERE series = ? AND"
    at_once: list[Point] = connection.execute(
        f"{select} {in_list('step', steps)} ORDER BY {COLUMNS}", (number, *steps)
    ).fetchall()
    if len(at_once) * 2 > len(steps):
        return at_once
    found = [
        connection.execute(f"{select} step >= ? ORDER BY {COLUMNS} LIMIT 1", (number, step)).fetchone()
        for step in steps
    ]
    return [*dict.fromkeys(point for point in found if point)]


def _shaped(
    name: tuple[str, str],
    source: _Source,
    window: _Window,
    points: Sequence[Point],
    total: int,
    *,
    rough: bool,
) -> Curve:
    """The points as x and y, few enough."""
    place = 0 if window.axis == "step" else 1
    if place and not source.ordered:
        points = sorted(points, key=itemgetter(1))
    # At the edges of summaries there are points beside the range.
    first = bisect_left(points, window.first, key=itemgetter(place))
    last = bisect_right(points, window.last, key=itemgetter(place))
    few = thinned(points if last - first == len(points) else points[first:last], window.points)
    begin = source.begin if window.axis == "relative" else 0
    nan = float("nan")
    return Curve(
        *name,
        total,
        rough,
        [(point[1] if place else point[0]) - begin for point in few],
        [nan if point[3] else point[2] for point in few],
    )
