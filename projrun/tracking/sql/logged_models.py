"""Logged models of MLflow 3 in SQL. Each function works within the caller's transaction."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking import limits
from projrun.tracking.artifacts.uris import below
from projrun.tracking.entities import LoggedModel, Metric, Param, Tag
from projrun.tracking.sql import experiments
from projrun.tracking.sql.engine import Connection, Row, select_in, upsert
from projrun.tracking.sql.experiments import now
from projrun.tracking.sql.names import generate_id, generate_run_name
from projrun.tracking.sql.run_rows import METRIC_COLUMNS, metric_from_row

COLUMNS = (
    "model_id, experiment_id, name, artifact_uri, creation_time, last_update_time, status, model_type,"
    " source_run_id"
)
_STATUSES = frozenset({"LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"})


def create(
    connection: Connection,
    experiment_id: str,
    *,
    name: str,
    model_type: str,
    source_run_id: str,
    params: Sequence[Param],
    tags: Sequence[Tag],
    origin_id: str = "",
) -> LoggedModel:
    """A model that is PENDING until it is finalized; a name is generated if none is given."""
    experiment = experiments.get_active(connection, experiment_id)
    _check_name(name)
    model_id = origin_id or f"m-{generate_id()}"
    uri = below(experiment.artifact_location, f"models/{model_id}/artifacts")
    connection.execute(
        f"INSERT INTO logged_models ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 'LOGGED_MODEL_PENDING', ?, ?)",
        (
            model_id,
            int(experiment.experiment_id),
            name or generate_run_name(),
            uri,
            now(),
            now(),
            model_type,
            source_run_id,
        ),
    )
    log_params(connection, model_id, params)
    set_tags(connection, model_id, tags)
    return get(connection, model_id)


def get(connection: Connection, model_id: str) -> LoggedModel:
    """Raises NotFoundError."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM logged_models WHERE model_id = ?", (model_id,)
    ).fetchall()
    if not rows:
        raise NotFoundError(f"Logged model with ID {model_id!r} not found.")
    return from_rows(connection, rows)[0]


def unknown(connection: Connection, model_ids: Sequence[str]) -> list[str]:
    """Those of the ids that no logged model has."""
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


def finalize(connection: Connection, model_id: str, status: str) -> LoggedModel:
    """Set the status. Raises InvalidValueError for one that MLflow does not know."""
    if status not in _STATUSES:
        raise InvalidValueError(f"unknown status {status!r}; one of: {', '.join(sorted(_STATUSES))}")
    get(connection, model_id)
    connection.execute(
        "UPDATE logged_models SET status = ?, last_update_time = ? WHERE model_id = ?",
        (status, now(), model_id),
    )
    return get(connection, model_id)


def log_params(connection: Connection, model_id: str, params: Sequence[Param]) -> None:
    """Write params of a model; the last value of a key counts."""
    for param in params:
        limits.check_key(param.key, "param")
    _write(
        connection,
        "logged_model_params",
        model_id,
        [(key, value[: limits.PARAM_VALUE]) for key, value in params],
    )


def set_tags(connection: Connection, model_id: str, tags: Sequence[Tag]) -> None:
    """Write tags of a model over what was there."""
    for tag in tags:
        limits.check_key(tag.key, "tag")
    _write(
        connection, "logged_model_tags", model_id, [(key, value[: limits.TAG_VALUE]) for key, value in tags]
    )


def _write(connection: Connection, table: str, model_id: str, pairs: Sequence[tuple[str, str]]) -> None:
    get(connection, model_id)
    connection.executemany(upsert(table, "model_id, key", "value"), [(model_id, *pair) for pair in pairs])


def _check_name(name: str) -> None:
    """The characters that MLflow 3 refuses in a logged model's name: it is a part of URIs."""
    if any(character in name for character in "/:.%\"'"):
        raise InvalidValueError(
            f"Invalid model name ({name!r}) provided. Model name cannot contain / : . % \" and '"
        )
