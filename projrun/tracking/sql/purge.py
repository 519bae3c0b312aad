"""`SqlPurge`: rows of what was deleted are removed, with all rows that belong to them."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from projrun.errors import NotFoundError
from projrun.tracking.purge import Deleted, Kind
from projrun.tracking.sql.engine import Connection, Engine
from projrun.tracking.sql.traces.store import BESIDE, PLACE

_TABLES: dict[Kind, tuple[str, str, str, str]] = {
    "run": ("runs", "run_id", "run_name", "artifact_uri"),
    "logged_model": ("logged_models", "model_id", "name", "artifact_uri"),
    "experiment": ("experiments", "experiment_id", "name", "artifact_location"),
}
"""Of each kind the table, and its columns of id, name and place."""
_OUTER = "SELECT {column} FROM experiments AS outside WHERE outside.lifecycle_stage = 'deleted'"
_DELETED = (
    f"(lifecycle_stage = 'deleted' OR experiment_id IN ({_OUTER.format(column='outside.experiment_id')}))"
)
_TIME = (
    f"COALESCE(deleted_time, ({_OUTER.format(column='outside.deleted_time')}"
    " AND outside.experiment_id = {table}.experiment_id), 0)"
)
_OF_RUN = ("series", "params", "tags", "run_dataset_tags", "run_datasets", "run_models")
_OF_MODEL = ("logged_model_params", "logged_model_tags", "run_models")


class SqlPurge:
    """The `Purge` of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find_deleted(self) -> tuple[Deleted, ...]:
        """Runs, then logged models, then experiments; of each kind what was deleted first."""
        found: list[Deleted] = []
        with self._engine.reading() as connection:
            for kind, (table, *columns) in _TABLES.items():
                rows = connection.execute(
                    f"SELECT {', '.join(columns)}, {_TIME.format(table=table)}, experiment_id FROM {table}"
                    f" WHERE {_DELETED} ORDER BY 4, 1"
                )
                for identifier, name, place, time, experiment in rows.fetchall():
                    places = (place,) if kind != "experiment" else _own(connection, experiment, place)
                    found.append(Deleted(kind, str(identifier), name, time, str(experiment), places))
        return tuple(found)

    def check(self, deleted: Deleted) -> None:
        """Raises NotFoundError where it is not deleted, or not there."""
        with self._engine.reading() as connection:
            _check(connection, deleted)

    def remove(self, deleted: Deleted) -> None:
        """As `check`, and nothing restores it meanwhile."""
        with self._engine.writing() as connection:
            column, value = _check(connection, deleted, connection.dialect.lock)
            if deleted.kind != "logged_model":
                _remove_runs(connection, f"{column} = ?", value)
            if deleted.kind != "run":
                _remove_models(connection, f"{column} = ?", value)
            if deleted.kind == "experiment":
                _remove_experiment(connection, value)


def _check(connection: Connection, deleted: Deleted, lock: str = "") -> tuple[str, int | str]:
    """The column of the ids of its kind, and its value there."""
    table, column, _, _ = _TABLES[deleted.kind]
    value = int(deleted.id) if deleted.kind == "experiment" else deleted.id
    statement = f"SELECT 1 FROM {table} WHERE {column} = ? AND {_DELETED}{lock}"
    if connection.execute(statement, (value,)).fetchone() is None:
        raise NotFoundError(f"{deleted.words} is not deleted any more")
    return column, value


def _own(connection: Connection, experiment: int, location: str) -> tuple[str, ...]:
    """A place that a user named may hold other things than traces; the server's own for one experiment does not."""
    if location == f"mlflow-artifacts:/{experiment}":
        return (location,)
    rows = connection.execute(
        "SELECT trace_tags.value FROM traces JOIN trace_tags ON trace_tags.trace = traces.id"
        " WHERE traces.experiment_id = ? AND trace_tags.key = ? ORDER BY traces.id",
        (experiment, PLACE),
    )
    return tuple(row[0] for row in rows.fetchall())


def _remove_runs(connection: Connection, where: str, value: object) -> None:
    keys = f"SELECT id FROM runs WHERE {where}"
    series = f"SELECT id FROM series WHERE run IN ({keys})"
    for table in ("points", "summaries"):
        connection.execute(f"DELETE FROM {table} WHERE series IN ({series})", (value,))
    for table in _OF_RUN:
        connection.execute(f"DELETE FROM {table} WHERE run IN ({keys})", (value,))
    ids = f"SELECT run_id FROM runs WHERE {where}"
    connection.execute(f"DELETE FROM trace_runs WHERE run_id IN ({ids})", (value,))
    connection.execute(f"DELETE FROM runs WHERE {where}", (value,))


def _remove_models(connection: Connection, where: str, value: object) -> None:
    """Its metrics are also a run's, and stay there."""
    ids = f"SELECT model_id FROM logged_models WHERE {where}"
    for table in _OF_MODEL:
        connection.execute(f"DELETE FROM {table} WHERE model_id IN ({ids})", (value,))
    connection.execute(f"DELETE FROM logged_models WHERE {where}", (value,))


def _remove_experiment(connection: Connection, number: object) -> None:
    """What is left of it without its runs and models."""
    traces = "SELECT id FROM traces WHERE experiment_id = ?"
    for table in BESIDE:
        connection.execute(f"DELETE FROM {table} WHERE trace IN ({traces})", (number,))
    for table in ("traces", "datasets", "experiment_tags", "experiments"):
        connection.execute(f"DELETE FROM {table} WHERE experiment_id = ?", (number,))
    # SQLite may give the number again.
    grants = "DELETE FROM grants WHERE resource_type = 'experiment' AND resource_pattern = ?"
    connection.execute(grants, (str(number),))
