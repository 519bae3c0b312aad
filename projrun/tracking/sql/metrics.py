"""Metrics in SQL: every value that was logged, and beside it the latest of each key."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from projrun.errors import InvalidValueError
from projrun.tracking import limits
from projrun.tracking.entities import Metric
from projrun.tracking.sql.engine import Connection, Row, insert_new, upsert
from projrun.tracking.sql.run_rows import METRIC_COLUMNS, metric_from_row

_INSERT = insert_new("metrics", f"run, {METRIC_COLUMNS}")
_UPSERT_LATEST = (
    upsert("latest_metrics", "run, key", METRIC_COLUMNS.removeprefix("key, "))
    + " WHERE (excluded.step, excluded.timestamp, excluded.value) >"
    " (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)"
)


def log(connection: Connection, run: int, metrics: Sequence[Metric]) -> None:
    """Store all of them; an identical one is stored once (MLflow does the same)."""
    for metric in metrics:
        limits.check_metric(metric)
    rows = [_row(run, metric) for metric in metrics]
    connection.executemany(_INSERT, rows)
    connection.executemany(_UPSERT_LATEST, _latest(rows))
    _log_to_models(connection, [row for row in rows if row[8]])


def history(connection: Connection, run: int, run_id: str, key: str, limit: int, offset: int) -> list[Metric]:
    """The values of one key by time, then step, then value; at most `limit` of them."""
    rows = connection.execute(
        f"SELECT {METRIC_COLUMNS} FROM metrics WHERE run = ? AND key = ?"
        " ORDER BY timestamp, step, value LIMIT ? OFFSET ?",
        (run, key, limit, offset),
    ).fetchall()
    return [metric_from_row(row, run_id) for row in rows]


def _row(run: int, metric: Metric) -> Row:
    is_nan = isnan(metric.value)
    return (
        run,
        metric.key,
        metric.timestamp,
        metric.step,
        0.0 if is_nan else float(metric.value),
        int(is_nan),
        metric.dataset_name,
        metric.dataset_digest,
        metric.model_id,
    )


def _latest(rows: Sequence[Row]) -> list[Row]:
    """The latest row of each key of a batch: by step, then time, then value."""
    latest: dict[str, Row] = {}
    for row in rows:
        known = latest.get(row[1])
        if known is None or (row[3], row[2], row[4]) > (known[3], known[2], known[4]):
            latest[row[1]] = row
    return list(latest.values())


def _log_to_models(connection: Connection, rows: Sequence[Row]) -> None:
    """A metric that names a logged model is the model's too."""
    if not rows:
        return
    from projrun.tracking.sql import logged_models

    if logged_models.unknown(connection, [row[8] for row in rows]):
        raise InvalidValueError("a metric names a logged model that does not exist")
    connection.executemany(insert_new("logged_model_metrics", f"run, {METRIC_COLUMNS}"), rows)
