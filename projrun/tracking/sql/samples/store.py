"""`SqlHistories`: histories of several runs. Samples of long series are read by seeks, not by reading all of it."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Metric
from projrun.tracking.histories import MOST_POINTS, MOST_RUNS, MOST_SAMPLED
from projrun.tracking.sql import metrics
from projrun.tracking.sql.engine import Connection, Engine, in_list
from projrun.tracking.sql.samples.long_series import LongSeries
from projrun.tracking.sql.samples.summaries import COLUMNS, Point, extend, least_and_greatest, needed

LONG = 20_000
"""Points from which on a series is summarized: below, reading all of them takes as long."""

_NAN = float("nan")
_new = tuple.__new__
"""Of records by the thousand: their own constructors look for defaults."""


class SqlHistories:
    """The `Histories` of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def bulk_history(
        self, run_ids: Sequence[str], key: str, *, max_results: int = MOST_POINTS
    ) -> tuple[Metric, ...]:
        """The values of a metric by run, time, step and value; runs that do not exist have none."""
        _check_runs(run_ids)
        found: list[Metric] = []
        with self._engine.reading() as connection:
            rows = connection.execute(
                f"SELECT run_id, id FROM runs WHERE {in_list('run_id', run_ids)}", list(run_ids)
            )
            for run_id, run in sorted(rows.fetchall()):
                found += metrics.history(connection, run, run_id, key, max_results - len(found))
        return tuple(found)

    def sampled_history(
        self,
        run_ids: Sequence[str],
        key: str,
        *,
        max_results: int = MOST_SAMPLED,
        steps: tuple[int, int] | None = None,
        extremes: bool = False,
    ) -> tuple[Metric, ...]:
        """At most `max_results` values of each run, in its order; see `Histories`."""
        _check_runs(run_ids)
        if not 1 <= max_results <= MOST_SAMPLED:
            raise InvalidValueError(f"max_results must be between 1 and {MOST_SAMPLED}.")
        found: list[Metric] = []
        with self._engine.reading() as connection:
            series = [(run_id, _series(connection, run_id, key)) for run_id in run_ids]
            growing = [ids[0] for _, ids in series if len(ids) == 1 and needed(connection, ids[0], LONG)]
        for each in growing:
            while self._extend(each):
                pass
        with self._engine.reading() as connection:
            for run_id, ids in series:
                points = _sample(connection, ids, max_results, steps, extremes=extremes)
                found += [
                    _new(Metric, (key, _NAN if is_nan else value, timestamp, step, None, None, None, run_id))
                    for step, timestamp, value, is_nan in points
                ]
        return tuple(found)

    def _extend(self, series: int) -> bool:
        with self._engine.writing() as connection:
            return extend(connection, series)


def _check_runs(run_ids: Sequence[str]) -> None:
    if len(run_ids) > MOST_RUNS:
        raise InvalidValueError(
            f"at most {MOST_RUNS} run_ids in one request. Received {len(run_ids)} run_ids."
        )


def _series(connection: Connection, run_id: str, key: str) -> list[int]:
    """What a run logged under a key."""
    statement = (
        "SELECT series.id FROM series JOIN runs ON runs.id = run WHERE run_id = ? AND key = ? ORDER BY 1"
    )
    rows = connection.execute(statement, (run_id, key))
    return [row[0] for row in rows]


def _sample(
    connection: Connection,
    series: Sequence[int],
    most: int,
    steps: tuple[int, int] | None,
    *,
    extremes: bool,
) -> Iterable[Point]:
    if len(series) == 1:
        long = LongSeries.read(connection, series[0])
        if long is not None:
            first, end = long.places(steps)
            return long.extremes(first, end, most) if extremes else long.at(spread(first, end, most))
    where, values = in_list("series", series), [*series]
    if steps is not None:
        where, values = f"{where} AND step >= ? AND step <= ?", [*values, *steps]
    rows = connection.execute(
        f"SELECT DISTINCT {COLUMNS} FROM points WHERE {where} ORDER BY {COLUMNS}", values
    ).fetchall()
    if extremes:
        return _extremes(rows, most)
    return [rows[place] for place in spread(0, len(rows), most)]


def spread(first: int, end: int, most: int) -> list[int]:
    """The places of a sample: the first of each of `most` equal parts, earlier ones by one longer, and the last."""
    count = end - first
    if count <= most:
        return list(range(first, end))
    length, longer = divmod(count, most)
    places = [first + part * length + min(part, longer) for part in range(most)]
    return [*places[:-1], end - 1]


def _extremes(points: Sequence[Point], most: int) -> list[Point]:
    if len(points) <= most:
        return list(points)
    parts = max(most // 2, 1)
    edges = [part * len(points) // parts for part in range(parts + 1)]
    found: list[Point] = []
    for start, end in pairwise(edges):
        found += sorted({point for point in least_and_greatest(points[start:end])[:2] if point})
    return found[:most]
