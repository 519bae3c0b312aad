"""`SqlLifeCycle`: deleting marks rows, with the time, so that what was deleted long ago can be removed for good."""

from __future__ import annotations

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking.sql import experiments, runs
from projrun.tracking.sql.engine import Connection, Engine
from projrun.tracking.sql.experiments import now
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.statuses import LifecycleStage


class SqlLifeCycle:
    """The `LifeCycle` of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def delete_run(self, run_id: str) -> None:
        """Raises NotFoundError."""
        self._mark_run(run_id, "deleted", now())

    def restore_run(self, run_id: str) -> None:
        """Raises NotFoundError."""
        self._mark_run(run_id, "active", None)

    def delete_experiment(self, experiment_id: str) -> None:
        """Raises NotFoundError where there is no active one."""
        self._mark_experiment(experiment_id, "active", "deleted", now())

    def restore_experiment(self, experiment_id: str) -> None:
        """Raises NotFoundError where there is no deleted one."""
        self._mark_experiment(experiment_id, "deleted", "active", None)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Raises NotFoundError, AlreadyExistsError, InvalidValueError for a deleted experiment."""
        with self._engine.writing() as connection:
            experiments.check_name(name)
            experiment = experiments.get(connection, experiment_id)
            if experiment.lifecycle_stage != "active":
                raise InvalidValueError("Cannot rename a non-active experiment.")
            found = experiments.get_by_name(connection, name)
            if found is not None and found.experiment_id != experiment.experiment_id:
                raise experiments.taken(found, name)
            connection.execute(
                "UPDATE experiments SET name = ?, last_update_time = ? WHERE experiment_id = ?",
                (name, now(), int(experiment.experiment_id)),
            )

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Raises NotFoundError where the experiment has no such tag."""
        with self._engine.writing() as connection:
            number = int(experiments.get_active(connection, experiment_id).experiment_id)
            deleted = connection.execute(
                "DELETE FROM experiment_tags WHERE experiment_id = ? AND key = ?", (number, key)
            )
            if not deleted.rowcount:
                raise NotFoundError(f"No tag with name: {key} in experiment with id {experiment_id}")

    def _mark_run(self, run_id: str, stage: LifecycleStage, deleted_time: int | None) -> None:
        with self._engine.writing() as connection:
            connection.execute(
                "UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE id = ?",
                (stage, deleted_time, runs.key_of(connection, run_id)),
            )

    def _mark_experiment(
        self, experiment_id: str, before: LifecycleStage, stage: LifecycleStage, deleted_time: int | None
    ) -> None:
        with self._engine.writing() as connection:
            number = _number_in_stage(connection, experiment_id, before)
            connection.execute(
                "UPDATE experiments SET lifecycle_stage = ?, deleted_time = ?, last_update_time = ?"
                " WHERE experiment_id = ?",
                (stage, deleted_time, now(), number),
            )
            connection.execute(
                "UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE experiment_id = ?",
                (stage, deleted_time, number),
            )


def _number_in_stage(connection: Connection, experiment_id: str, stage: LifecycleStage) -> int:
    """To MLflow's server, an experiment in the other stage does not exist here."""
    experiment = experiments.get(connection, experiment_id)
    if experiment.lifecycle_stage != stage:
        raise experiments.missing(experiment_id)
    return int(experiment.experiment_id)
