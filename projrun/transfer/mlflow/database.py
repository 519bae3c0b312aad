"""`MlflowDatabase`: the SQLite file of MLflow's SQL store as a source, read without MLflow and never written.

Tables and columns that a schema does not have yet are read as empty.
"""

# ruff: noqa: S608 -- only constants of this module are put into statements; values are placeholders

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from projrun.errors import RequestError, TrackingError
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import (
    Dataset,
    Experiment,
    LoggedModel,
    Metric,
    ModelAlias,
    ModelOutput,
    ModelVersion,
    Param,
    RegisteredModel,
    Run,
    Tag,
)
from projrun.tracking.statuses import LifecycleStage, RunStatus
from projrun.transfer.mlflow.places import ArtifactPlaces
from projrun.transfer.mlflow.schemas import KNOWN
from projrun.transfer.mlflow.statuses import MODEL_STATUSES
from projrun.transfer.source import SourceModel

_PAGE = 500
"""Runs at a time: a query that stays open would keep MLflow's server from writing."""
_POINTS = 100_000
_TABLES = {"experiments", "runs", "metrics", "latest_metrics", "params", "tags", "alembic_version"}


class MlflowDatabase:
    """A `Source`."""

    def __init__(self, path: Path, destination: str = "") -> None:
        """Raises RequestError for a file that is none of MLflow's, or newer than is known."""
        self.uri = str(path)
        self.skipped: list[str] = []
        self._path = path
        self._places = ArtifactPlaces(path.parent, destination, self.skipped)
        self._connection = _connected(path)
        try:
            rows = self._rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            self._tables = {row[0] for row in rows}
            self._check()
            self._columns = {
                table: {row[1] for row in self._rows(f"PRAGMA table_info({table})")}
                for table in ("experiments", "runs", "registered_models", "model_versions", "inputs")
            }
        except BaseException:
            self._connection.close()
            raise

    def _check(self) -> None:
        if not self._tables >= _TABLES:
            raise RequestError(f"{self._path} is not a store of MLflow", hint="give its mlflow.db")
        schemas = {row[0] for row in self._rows("SELECT version_num FROM alembic_version")}
        if not schemas <= KNOWN:
            raise RequestError(
                f"{self._path} has a schema that this projrun does not know: {', '.join(sorted(schemas - KNOWN))}",
                hint=f"upgrade projrun, or run `mlflow server --backend-store-uri sqlite:///{self._path}` and import "
                "from its address",
            )

    @property
    def notes(self) -> Sequence[str]:
        """What people should know."""
        return [*self._places.notes]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise TrackingError(
                f"{self._path} cannot be read: {error}",
                hint="if MLflow writes into it, try again; if it is damaged, restore it from a backup",
            ) from error

    def _has(self, table: str, column: str = "") -> bool:
        return table in self._tables and (not column or column in self._columns[table])

    def _column(self, table: str, column: str, otherwise: str) -> str:
        return f"coalesce({column}, {otherwise})" if self._has(table, column) else otherwise

    def experiments(self) -> Iterator[Experiment]:
        """Those of the default workspace."""
        times = [self._column("experiments", name, "0") for name in ("creation_time", "last_update_time")]
        workspace = self._column("experiments", "workspace", "'default'")
        rows = self._rows(
            "SELECT experiment_id, name, coalesce(artifact_location, ''), coalesce(lifecycle_stage, 'active'),"
            f" {', '.join(times)}, {workspace} FROM experiments ORDER BY experiment_id"
        )
        for number, name, location, stage, created, updated, space in rows:
            if space != "default":
                self.skipped.append(f"experiment {name} of the workspace {space}")
                continue
            tags = self._tags("experiment_tags", "experiment_id", number)
            yield Experiment(str(number), name, location, _stage(stage), created, updated, tags)

    def _tags(self, table: str, column: str, key: object) -> tuple[Tag, ...]:
        if not self._has(table):
            return ()
        rows = self._rows(
            f"SELECT key, coalesce(value, '') FROM {table} WHERE {column} = ? ORDER BY key", (key,)
        )
        return tuple([Tag(*row) for row in rows])

    # runs

    def runs(self, experiment: Experiment) -> Iterator[Run]:
        """The oldest first."""
        return map(self._with_data, self.heads(experiment))

    def heads(self, experiment: Experiment) -> Iterator[Run]:
        """The same, with tags."""
        ended, name = self._column("runs", "end_time", "NULL"), self._column("runs", "name", "''")
        statement = (
            f"SELECT run_uuid, {name}, coalesce(status, 'RUNNING'), coalesce(start_time, 0), {ended},"
            " coalesce(artifact_uri, ''), coalesce(user_id, ''), coalesce(lifecycle_stage, 'active') FROM runs"
            " WHERE experiment_id = ? AND (coalesce(start_time, 0), run_uuid) > (?, ?)"
            f" ORDER BY coalesce(start_time, 0), run_uuid LIMIT {_PAGE}"
        )
        after: tuple[int, str] = (-(2**63), "")
        while rows := self._rows(statement, (int(experiment.experiment_id), *after)):
            for run_id, run_name, status, started, end_time, uri, user, stage in rows:
                run = Run(
                    run_id, experiment.experiment_id, run_name, cast(RunStatus, status), started, end_time, uri, user,
                    _stage(stage),
                )  # fmt: skip
                yield run._replace(tags=self._tags("tags", "run_uuid", run_id))
            if len(rows) < _PAGE:
                return
            after = (rows[-1][3], rows[-1][0])

    def _with_data(self, run: Run) -> Run:
        params = self._rows("SELECT key, value FROM params WHERE run_uuid = ? ORDER BY key", (run.run_id,))
        latest = self._rows(
            "SELECT key, value, timestamp, step, is_nan FROM latest_metrics WHERE run_uuid = ? ORDER BY key",
            (run.run_id,),
        )
        return run._replace(
            params=tuple([Param(*row) for row in params]),
            metrics=tuple([_metric(*row) for row in latest]),
            datasets=self._datasets(run.run_id),
            model_inputs=tuple([row[0] for row in self._linked(run.run_id, "RUN_INPUT", "MODEL_INPUT")]),
            model_outputs=tuple(
                [ModelOutput(*row) for row in self._linked(run.run_id, "RUN_OUTPUT", "MODEL_OUTPUT")]
            ),
        )

    def _linked(self, run_id: str, source: str, destination: str) -> list[Any]:
        if not self._has("inputs"):
            return []
        return self._rows(
            f"SELECT destination_id, {self._column('inputs', 'step', '0')} FROM inputs"
            " WHERE source_type = ? AND source_id = ? AND destination_type = ? ORDER BY rowid",
            (source, run_id, destination),
        )

    def _datasets(self, run_id: str) -> tuple[Dataset, ...]:
        if not self._has("datasets"):
            return ()
        rows = self._rows(
            "SELECT input_uuid, name, digest, dataset_source_type, dataset_source, dataset_schema, dataset_profile"
            " FROM inputs JOIN datasets ON dataset_uuid = source_id"
            " WHERE source_type = 'DATASET' AND destination_type = 'RUN' AND destination_id = ? ORDER BY name, digest",
            (run_id,),
        )
        return tuple([Dataset(*[*row[1:], self._input_tags(row[0])]) for row in rows])

    def _input_tags(self, input_id: str) -> tuple[Tag, ...]:
        rows = self._rows(
            "SELECT name, value FROM input_tags WHERE input_uuid = ? ORDER BY name", (input_id,)
        )
        return tuple([Tag(*row) for row in rows])

    def points(self, run: Run) -> Iterator[Metric]:
        """By metric, time and step."""
        statement = (
            "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ?"
            " AND (key, timestamp, step, value, is_nan) > (?, ?, ?, ?, ?)"
            f" ORDER BY key, timestamp, step, value, is_nan LIMIT {_POINTS}"
        )
        after: tuple[Any, ...] = ("", 0, 0, 0.0, 0)
        while rows := self._rows(statement, (run.run_id, *after)):
            for row in rows:
                yield _metric(*row)
            if len(rows) < _POINTS:
                return
            key, value, timestamp, step, is_nan = rows[-1]
            after = (key, timestamp, step, value, is_nan)

    # models

    def models(self, experiment: Experiment) -> Iterator[SourceModel]:
        """Of MLflow 3."""
        if not self._has("logged_models"):
            return
        rows = self._rows(
            "SELECT model_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status,"
            " coalesce(model_type, ''), coalesce(source_run_id, ''), coalesce(lifecycle_stage, 'active')"
            " FROM logged_models WHERE experiment_id = ? ORDER BY creation_timestamp_ms, model_id",
            (int(experiment.experiment_id),),
        )
        for model_id, name, uri, created, updated, status, kind, run_id, stage in rows:
            model = LoggedModel(
                model_id, experiment.experiment_id, name, uri, created, updated,
                MODEL_STATUSES.get(status, MODEL_STATUSES[1]), kind, run_id,
            )  # fmt: skip
            tags = self._rows(
                "SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ? ORDER BY 1", (model_id,)
            )
            params = self._rows(
                "SELECT param_key, param_value FROM logged_model_params WHERE model_id = ? ORDER BY 1",
                (model_id,),
            )
            yield SourceModel(
                model._replace(
                    tags=tuple([Tag(*row) for row in tags]),
                    params=tuple([Param(*row) for row in params]),
                    metrics=self._model_metrics(model_id),
                ),
                deleted=stage == "deleted",
            )

    def _model_metrics(self, model_id: str) -> tuple[Metric, ...]:
        rows = self._rows(
            "SELECT metric_name, metric_value, metric_timestamp_ms, metric_step, dataset_name, dataset_digest, run_id"
            " FROM logged_model_metrics WHERE model_id = ? ORDER BY metric_name, metric_timestamp_ms, metric_step",
            (model_id,),
        )
        return tuple(
            [
                Metric(key, 0.0 if value is None else value, timestamp, step, name, digest, model_id, run_id)
                for key, value, timestamp, step, name, digest, run_id in rows
            ]
        )

    def registered_models(self) -> Iterator[RegisteredModel]:
        """Those of the default workspace, prompts among them."""
        if not self._has("registered_models"):
            return
        workspace = self._column("registered_models", "workspace", "'default'")
        rows = self._rows(
            "SELECT name, creation_time, last_updated_time, coalesce(description, ''),"
            f" {workspace} FROM registered_models ORDER BY name"
        )
        for name, created, updated, description, space in rows:
            if space != "default":
                self.skipped.append(f"registered model {name} of the workspace {space}")
                continue
            aliases: list[Any] = []
            if self._has("registered_model_aliases"):
                aliases = self._rows(
                    "SELECT alias, version FROM registered_model_aliases WHERE name = ?"
                    f"{self._in_workspace('registered_models')} ORDER BY alias",
                    (name,),
                )
            yield RegisteredModel(
                name,
                created or 0,
                updated or 0,
                description,
                self._tags("registered_model_tags", "name", name),
                aliases=tuple([ModelAlias(alias, str(version)) for alias, version in aliases]),
            )

    def _in_workspace(self, table: str) -> str:
        return " AND workspace = 'default'" if self._has(table, "workspace") else ""

    def versions(self, model: RegisteredModel) -> Iterator[ModelVersion]:
        """Those that were not deleted."""
        link = self._column("model_versions", "run_link", "''")
        rows = self._rows(
            "SELECT version, creation_time, last_updated_time, coalesce(source, ''), coalesce(run_id, ''), status,"
            f" coalesce(description, ''), {link}, current_stage, coalesce(user_id, '') FROM model_versions"
            " WHERE name = ? AND current_stage <> 'Deleted_Internal'"
            f"{self._in_workspace('model_versions')} ORDER BY version",
            (model.name,),
        )
        for number, created, updated, source, run_id, status, description, run_link, stage, user in rows:
            tags: list[Any] = []
            if self._has("model_version_tags"):
                tags = self._rows(
                    "SELECT key, coalesce(value, '') FROM model_version_tags WHERE name = ? AND version = ?"
                    f"{self._in_workspace('model_versions')} ORDER BY key",
                    (model.name, number),
                )
            yield ModelVersion(
                model.name, str(number), created or 0, updated or 0, source, run_id, status or "READY", description,
                "", run_link, stage or "None", tuple([Tag(*row) for row in tags]), user_id=user,
            )  # fmt: skip

    def artifacts(self, owner: Run | LoggedModel) -> ArtifactRepository | None:
        """Where the database says they are."""
        return self._places.of(owner)


def _connected(path: Path) -> sqlite3.Connection:
    try:
        with path.open("rb") as file:
            beginning = file.read(16)
        if beginning != b"SQLite format 3\0":
            raise RequestError(f"{path} is not an SQLite file", hint="give MLflow's mlflow.db")
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
    except (OSError, sqlite3.Error) as error:
        raise TrackingError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _stage(text: str) -> LifecycleStage:
    return "deleted" if text == "deleted" else "active"


def _metric(key: str, value: float, timestamp: int, step: int, is_nan: int) -> Metric:
    return Metric(key, float("nan") if is_nan else float(value), timestamp, step)
