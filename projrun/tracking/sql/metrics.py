"""Metrics in SQL: series of points, and beside each the latest of them. On the path of every logged value."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from operator import itemgetter

from projrun.errors import InvalidValueError
from projrun.tracking import limits
from projrun.tracking.entities import Metric, MetricPage
from projrun.tracking.sql import runs
from projrun.tracking.sql.engine import CHUNK, UNLIMITED, Connection, Row, in_list, insert, insert_new
from projrun.tracking.sql.run_rows import NAN

Name = tuple[str, str, str, str]
"""What tells one series of a run from another: key, model, dataset's name and digest; empty where not given."""
Point = tuple[int, int, float, int]
"""Step, timestamp, value, and 1 for a NaN, whose value is 0: in the order of MLflow's latest."""
_time = itemgetter(1)
_new = tuple.__new__
"""Of records by the thousand: their own constructors look for defaults."""

_INSERT = insert("points", "series, step, timestamp, value, is_nan") + " ON CONFLICT DO NOTHING"
_INSERT_SERIES = insert_new(
    "series",
    "run, key, model_id, dataset_name, dataset_digest, step, timestamp, value, is_nan, latest, ordered, least,"
    " greatest",
)
_FIND = (
    "SELECT key, model_id, dataset_name, dataset_digest, id, step, timestamp, value, is_nan, ordered, least, greatest,"
    " summarized_step, summarized_timestamp FROM series WHERE run = ? AND "
)
_ADVANCE = (
    "UPDATE series SET step = ?, timestamp = ?, value = ?, is_nan = ?, ordered = ?, least = ?, greatest = ?"
    " WHERE id = ?"
)
_CHOOSE_LATEST = (
    "UPDATE series SET latest = CASE WHEN id = (SELECT other.id FROM series AS other"
    " WHERE other.run = ? AND other.key = ? ORDER BY other.step DESC, other.timestamp DESC, other.value DESC, other.id"
    " LIMIT 1) THEN 1 ELSE 0 END WHERE run = ? AND key = ?"
)


def log(connection: Connection, run: int, metrics: Sequence[Metric]) -> None:
    """Store all of them; an identical one is stored once (MLflow does the same)."""
    if not metrics:
        return
    logged = _by_series(metrics)
    _check(logged)
    found = _find(connection, run, logged)
    new = [name for name in logged if name not in found]
    if new:
        _check_models(connection, new)
        connection.executemany(_INSERT_SERIES, [_new_series(run, name, logged[name]) for name in new])
        found = _find(connection, run, logged)
    rows: list[Row] = []
    for name, points in logged.items():
        series = found[name][:1]
        rows += [series + point for point in points]
    connection.executemany(_INSERT, rows)
    advanced = [_advanced(found[name], points) for name, points in logged.items()]
    connection.executemany(_ADVANCE, filter(None, advanced))
    for name, points in logged.items():
        _check_summaries(connection, found[name], points[0])
    if len(found) > len({name[0] for name in found}):
        _choose_latest(connection, run, found)


def history_page(
    connection: Connection, run_id: str, key: str, max_results: int | None, page_token: str
) -> MetricPage:
    """The values of one key by time; all of them where no `max_results` is given."""
    from projrun.tracking.search.pages import make_token, read_token

    if max_results is not None:
        limits.check_page(max_results)
    after: Point | None = read_token(page_token, (int, int, float, int)) if page_token else None
    limit = UNLIMITED if max_results is None else max_results + 1
    found = history(connection, runs.key_of(connection, run_id), run_id, key, limit, after)
    if max_results is None or len(found) <= max_results:
        return MetricPage(tuple(found))
    return MetricPage(tuple(found[:max_results]), make_token(_point(found[max_results - 1])))


def history(
    connection: Connection, run: int, run_id: str, key: str, limit: int, after: Point | None = None
) -> list[Metric]:
    """The values of one key by time, then step, then value; at most `limit` of them, those after `after`."""
    found = connection.execute(
        "SELECT id, ordered, model_id, dataset_name, dataset_digest FROM series WHERE run = ? AND key = ? ORDER BY id",
        (run, key),
    ).fetchall()
    # Of a metric, what comes after its step.
    names = {row[0]: (*(name or None for name in (row[3], row[4], row[2])), run_id) for row in found}
    alone = len(found) == 1 and found[0][1]
    order = "step, timestamp, value, is_nan" if alone else "timestamp, step, value, is_nan"
    numbers = [row[0] for row in found]
    # SQLite would sort what it finds for a list of one.
    where, values = "series = ?" if len(numbers) == 1 else in_list("series", numbers), [*numbers]
    if after is not None:
        where += f" AND ({order}) > (?, ?, ?, ?)"
        values += after if alone else (after[1], after[0], *after[2:])
    # What was logged for two models is one value of the run's.
    which, group = ("series", "") if len(found) == 1 else ("min(series)", f" GROUP BY {order}")
    rows = connection.execute(
        f"SELECT {which}, step, timestamp, value, is_nan FROM points WHERE {where}{group} ORDER BY {order} LIMIT ?",
        (*values, limit),
    )
    return [
        _new(Metric, (key, NAN if is_nan else value, timestamp, step) + names[series])
        for series, step, timestamp, value, is_nan in rows.fetchall()
    ]


def _point(metric: Metric) -> Point:
    """A metric as it is kept and sorted."""
    is_nan = isnan(metric.value)
    return metric.step, metric.timestamp, 0.0 if is_nan else metric.value, int(is_nan)


def _by_series(metrics: Iterable[Metric]) -> dict[Name, list[Point]]:
    """The points of each series, sorted."""
    logged: dict[Name, list[Point]] = {}
    for key, value, timestamp, step, dataset_name, dataset_digest, model_id, _ in metrics:
        name = (key, model_id or "", dataset_name or "", dataset_digest or "")
        point = (step, timestamp, float(value), 0) if value == value else (step, timestamp, 0.0, 1)
        points = logged.get(name)
        if points is None:
            logged[name] = [point]
        else:
            points.append(point)
    for points in logged.values():
        points.sort()
    return logged


def _check(logged: dict[Name, list[Point]]) -> None:
    for name, points in logged.items():
        limits.check_key(name[0], "metric")
        times = [*map(_time, points)]
        limits.check_points(name[0], (points[0][0], points[-1][0]), (min(times), max(times)))


def _find(connection: Connection, run: int, logged: Iterable[Name]) -> dict[Name, Row]:
    """The series of these keys: the id, the latest point, and up to which step and time it is summarized."""
    keys = list({name[0] for name in logged})
    found: dict[Name, Row] = {}
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        statement = f"{_FIND}{in_list('key', chunk)} ORDER BY id{connection.dialect.lock}"
        rows = connection.execute(statement, (run, *chunk))
        found.update((row[:4], row[4:]) for row in rows)
    return found


def _new_series(run: int, name: Name, points: Sequence[Point]) -> Row:
    """A series with its first point: the others move it on, as they do of a series that was there."""
    extreme = None if points[0][3] else points[0][2]
    return (run, *name, *points[0], 1, 1, extreme, extreme)


def _advanced(series: Row, points: Sequence[Point]) -> Row | None:
    """What is kept of a series beside its points, brought up to date; None where it stays as it is."""
    number, step, timestamp, value, is_nan, ordered, *kept, _, _ = series
    first, last, times = points[0], points[-1], [*map(_time, points)]
    latest = last if (step, timestamp, value) < last[:3] else (step, timestamp, value, is_nan)
    # Time never goes back from one step to the next.
    goes_on = step <= first[0] and timestamp <= first[1] and times == sorted(times)
    extremes = _extremes(kept, points)
    if latest is not last and (goes_on or not ordered) and extremes == kept:
        return None
    return (*latest, int(ordered and goes_on), *extremes, number)


def _extremes(kept: list[float | None], points: Sequence[Point]) -> list[float | None]:
    """The least and the greatest of a series with new points; None where all of them are NaN."""
    numbers = [point[2] for point in points if not point[3]]
    numbers += [number for number in kept if number is not None]
    return [min(numbers), max(numbers)] if numbers else kept


def _check_summaries(connection: Connection, series: Row, first: Point) -> None:
    """Those from the first point on are forgotten."""
    number, summarized_step, summarized_timestamp = series[0], *series[-2:]
    if summarized_step is not None and first[:2] <= (summarized_step, summarized_timestamp):
        from projrun.tracking.sql.samples.summaries import forget

        forget(connection, number, *first[:2])


def _choose_latest(connection: Connection, run: int, found: Iterable[Name]) -> None:
    """Of several series of one key, the run's latest value is the latest of all."""
    keys = [name[0] for name in found]
    several = {key for key in keys if keys.count(key) > 1}
    connection.executemany(_CHOOSE_LATEST, [(run, key, run, key) for key in sorted(several)])


def _check_models(connection: Connection, names: Iterable[Name]) -> None:
    """A metric that names a logged model is the model's too."""
    model_ids = [name[1] for name in names if name[1]]
    if not model_ids:
        return
    from projrun.tracking.sql.models import rows as logged_models

    if logged_models.unknown(connection, model_ids):
        raise InvalidValueError("a metric names a logged model that does not exist")
