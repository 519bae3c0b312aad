"""What runs read and wrote, in SQL: datasets, and logged models as inputs and outputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking import limits
from projrun.tracking.entities import Dataset, ModelOutput, Tag
from projrun.tracking.sql import logged_models, runs
from projrun.tracking.sql.engine import Connection, insert_new, upsert

_HISTORY = "mlflow.log-model.history"
_MANDATORY = frozenset({"artifact_path", "flavors", "utc_time_created", "run_id"})


def log(connection: Connection, run_id: str, datasets: Sequence[Dataset], model_ids: Sequence[str]) -> None:
    """Record that the run read them; what it read already is recorded once."""
    run = runs.writable_key(connection, run_id)
    row = connection.execute("SELECT experiment_id FROM runs WHERE id = ?", (run,)).fetchone()
    for dataset in datasets:
        _log_dataset(connection, run, row[0], dataset)
    _log_models(connection, run, "input", (ModelOutput(model_id) for model_id in model_ids))


def log_outputs(connection: Connection, run_id: str, models: Sequence[ModelOutput]) -> None:
    """Record that the run wrote these logged models. Raises NotFoundError for one that does not exist."""
    _log_models(connection, runs.writable_key(connection, run_id), "output", models)


def record_model(connection: Connection, run_id: str, model_json: str) -> None:
    """Add the description of a model (MLflow 2's `MLmodel`, as JSON) to the tag that lists a run's models.

    Raises InvalidValueError if it is not a JSON object, or makes the list too long for a tag.
    """
    key = runs.writable_key(connection, run_id)
    row = connection.execute("SELECT value FROM tags WHERE run = ? AND key = ?", (key, _HISTORY)).fetchone()
    try:
        model, history = json.loads(model_json), json.loads(row[0]) if row else []
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(f"Malformed model info: {error}") from error
    if not isinstance(model, dict) or not isinstance(history, list):
        raise InvalidValueError("Malformed model info: not a JSON object")
    absent = sorted(_MANDATORY - model.keys())
    if absent:
        raise InvalidValueError(f"Model json is missing mandatory fields: {', '.join(absent)}")
    value = json.dumps([*history, model])
    if len(value) > limits.TAG_VALUE:
        raise InvalidValueError(f"the tag {_HISTORY} may have at most {limits.TAG_VALUE} characters")
    runs.set_tags(connection, key, [Tag(_HISTORY, value)])


def _log_dataset(connection: Connection, run: int, experiment: int, dataset: Dataset) -> None:
    """A dataset is one thing in its experiment by name and digest; its tags belong to the run's use of it."""
    limits.check_dataset(dataset)
    connection.execute(
        insert_new("datasets", "experiment_id, name, digest, source_type, source, schema, profile"),
        (experiment, *dataset[:6]),
    )
    number = connection.execute(
        "SELECT id FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
        (experiment, dataset.name, dataset.digest),
    ).fetchone()[0]
    connection.execute(insert_new("run_datasets", "run, dataset"), (run, number))
    for tag in dataset.tags:
        connection.execute(
            upsert("run_dataset_tags", "run, dataset, key", "value"),
            (run, number, tag.key, tag.value),
        )


def _log_models(connection: Connection, run: int, direction: str, models: Iterable[ModelOutput]) -> None:
    found = list(models)
    for model_id in logged_models.unknown(connection, [model.model_id for model in found]):
        raise NotFoundError(f"Logged model with ID {model_id!r} not found.")
    connection.executemany(
        upsert("run_models", "run, direction, model_id", "step"),
        [(run, direction, *model) for model in found],
    )
