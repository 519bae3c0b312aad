"""Rows of logged models become `LoggedModel` values, in the same few queries for any number."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import NotFoundError
from projrun.tracking.entities import LoggedModel, Metric, Param, Tag
from projrun.tracking.sql.engine import Connection, Row, select_in
from projrun.tracking.sql.run_rows import METRIC_COLUMNS, metric_from_row

COLUMNS = (
    "model_id, experiment_id, name, artifact_uri, creation_time, last_update_time, status, model_type,"
    " source_run_id"
)


def get(connection: Connection, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
    """Raises NotFoundError."""
    hidden = "" if allow_deleted else " AND lifecycle_stage = 'active'"
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM logged_models WHERE model_id = ?{hidden}", (model_id,)
    ).fetchall()
    if not rows:
        raise missing(model_id)
    return from_rows(connection, rows)[0]


def missing(model_id: str) -> NotFoundError:
    """The error for an id that no logged model has."""
    return NotFoundError(f"Logged model with ID '{model_id}' not found.")


def unknown(connection: Connection, model_ids: Sequence[str]) -> list[str]:
    """Those of the ids that no logged model has, not even a deleted one."""
    statement = "SELECT model_id FROM logged_models WHERE model_id IN ({keys})"
    known = {row[0] for row in select_in(connection, statement, set(model_ids))}
    return [model_id for model_id in model_ids if model_id not in known]


def from_rows(connection: Connection, rows: Sequence[Row]) -> list[LoggedModel]:
    """The models of rows of COLUMNS, in their order, with tags, params and metrics."""
    tags: dict[str, list[Tag]] = {row[0]: [] for row in rows}
    params: dict[str, list[Param]] = {row[0]: [] for row in rows}
    metrics: dict[str, list[Metric]] = {row[0]: [] for row in rows}
    pairs = "SELECT model_id, key, value FROM {} WHERE model_id IN ({{keys}}) ORDER BY 1, 2"
    for model_id, *pair in select_in(connection, pairs.format("logged_model_tags"), tags):
        tags[model_id].append(Tag(*pair))
    for model_id, *pair in select_in(connection, pairs.format("logged_model_params"), params):
        params[model_id].append(Param(*pair))
    statement = (
        f"SELECT run_id, {METRIC_COLUMNS} FROM logged_model_metrics JOIN runs ON runs.id = run"
        " WHERE model_id IN ({keys}) ORDER BY model_id, key, step, timestamp"
    )
    for run_id, *row in select_in(connection, statement, metrics):
        metric = metric_from_row(row, run_id)
        metrics[str(metric.model_id)].append(metric)
    return [
        LoggedModel(row[0], str(row[1]), *row[2:])._replace(
            tags=tuple(tags[row[0]]), params=tuple(params[row[0]]), metrics=tuple(metrics[row[0]])
        )
        for row in rows
    ]
