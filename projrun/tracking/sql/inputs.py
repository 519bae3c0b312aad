"""`SqlInputs`: what runs read and wrote: datasets, and logged models as inputs and outputs."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from projrun.errors import InvalidValueError
from projrun.tracking import limits
from projrun.tracking.entities import Dataset, ModelOutput, Tag
from projrun.tracking.inputs import DatasetUse
from projrun.tracking.sql import experiments, runs
from projrun.tracking.sql.engine import Connection, Engine, in_list, insert_new, upsert
from projrun.tracking.sql.models import rows

_HISTORY = "mlflow.log-model.history"
_MANDATORY = frozenset({"artifact_path", "flavors", "utc_time_created", "run_id"})
_CONTEXT = "mlflow.data.context"
_MOST_EXPERIMENTS = 20
_MOST_DATASETS = 1000


class SqlInputs:
    """The `Inputs` of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def log_inputs(self, run_id: str, datasets: Sequence[Dataset], model_ids: Sequence[str] = ()) -> None:
        """Record that the run read them; what it read already is recorded once. Raises NotFoundError."""
        with self._engine.writing() as connection:
            run = runs.writable_key(connection, run_id)
            row = connection.execute("SELECT experiment_id FROM runs WHERE id = ?", (run,)).fetchone()
            if datasets:
                # Runs share them: two that log the same ones in another order would wait for each other.
                lock = f"SELECT 1 FROM experiments WHERE experiment_id = ?{connection.dialect.lock}"
                connection.execute(lock, (row[0],))
            for dataset in datasets:
                _log_dataset(connection, run, row[0], dataset)
            _log_models(connection, run, "input", (ModelOutput(model_id) for model_id in model_ids))

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        """Record that the run wrote these logged models. Raises NotFoundError for one that does not exist."""
        with self._engine.writing() as connection:
            _log_models(connection, runs.writable_key(connection, run_id), "output", models)

    def record_model(self, run_id: str, model_json: str) -> None:
        """Add the description of a model (MLflow 2's `MLmodel`, as JSON) to the tag that lists a run's models.

        Raises InvalidValueError if it is not a JSON object, or makes the list too long for a tag.
        """
        with self._engine.writing() as connection:
            key = runs.writable_key(connection, run_id)
            row = connection.execute(
                "SELECT value FROM tags WHERE run = ? AND key = ?", (key, _HISTORY)
            ).fetchone()
            value = _longer_history(row[0] if row else "[]", model_json)
            runs.set_tags(connection, key, [Tag(_HISTORY, value)])

    def search_datasets(self, experiment_ids: Sequence[str]) -> tuple[DatasetUse, ...]:
        """Raises InvalidValueError for no experiment, and for more than 20."""
        if not experiment_ids:
            raise InvalidValueError("SearchDatasets request must specify at least one experiment_id.")
        if len(experiment_ids) > _MOST_EXPERIMENTS:
            raise InvalidValueError(
                f"SearchDatasets request cannot specify more than {_MOST_EXPERIMENTS} experiment_ids."
                f" Received {len(experiment_ids)} experiment_ids."
            )
        numbers = [experiments.number_of(identifier) for identifier in experiment_ids]
        with self._engine.reading() as connection:
            found = connection.execute(
                "SELECT DISTINCT experiment_id, name, digest, COALESCE(run_dataset_tags.value, '')"
                " FROM datasets JOIN run_datasets ON run_datasets.dataset = datasets.id"
                " LEFT JOIN run_dataset_tags ON run_dataset_tags.run = run_datasets.run"
                " AND run_dataset_tags.dataset = datasets.id AND run_dataset_tags.key = ?"
                f" WHERE {in_list('experiment_id', numbers)} ORDER BY 1, 2, 3, 4 LIMIT ?",
                (_CONTEXT, *numbers, _MOST_DATASETS),
            ).fetchall()
        return tuple(DatasetUse(str(row[0]), *row[1:]) for row in found)


def _longer_history(history_json: str, model_json: str) -> str:
    try:
        model, history = json.loads(model_json), json.loads(history_json)
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
    return value


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
    for model_id in rows.unknown(connection, [model.model_id for model in found]):
        raise rows.missing(model_id)
    connection.executemany(
        upsert("run_models", "run, direction, model_id", "step"),
        [(run, direction, *model) for model in found],
    )
