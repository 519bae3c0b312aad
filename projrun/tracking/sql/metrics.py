"""Metrics in SQL: every value that was logged, and beside it the latest of each key."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from math import isnan

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Metric
from projrun.tracking.sql import limits
from projrun.tracking.sql.database import Row
from projrun.tracking.sql.run_rows import METRIC_COLUMNS, metric_from_row


def log(connection: sqlite3.Connection, run: int, metrics: Sequence[Metric]) -> None:
    """Store all of them; an identical one is stored once (MLflow does the same)."""
    for metric in metrics:
        limits.check_metric(metric)
    rows = [_row(run, metric) for metric in metrics]
    connection.executemany(
        f"INSERT INTO metrics (run, {METRIC_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        rows,
    )
    connection.executemany(
        f"INSERT INTO latest_metrics (run, {METRIC_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (run, key) DO UPDATE SET timestamp = excluded.timestamp, step = excluded.step,"
        " value = excluded.value, is_nan = excluded.is_nan, dataset_name = excluded.dataset_name,"
        " dataset_digest = excluded.dataset_digest, model_id = excluded.model_id"
        " WHERE (excluded.step, excluded.timestamp, excluded.value) >"
        " (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
        _latest(rows),
    )
    _log_to_models(connection, [row for row in rows if row[8]])


def history(
    connection: sqlite3.Connection, run: int, run_id: str, key: str, limit: int, offset: int
) -> list[Metric]:
    """The values of one key by time, then step, then value; a negative limit is none."""
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


def _log_to_models(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """A metric that names a logged model is the model's too."""
    try:
        connection.executemany(
            "INSERT INTO logged_model_metrics"
            " (run, key, timestamp, step, value, is_nan, dataset_name, dataset_digest, model_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            rows,
        )
    except sqlite3.IntegrityError as error:
        raise InvalidValueError("a metric names a logged model that does not exist") from error
