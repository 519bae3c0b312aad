"""Where in the target a run of a run-scoped store belongs: its experiment, and the run itself, created at most once."""

from __future__ import annotations

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError, TrackingError
from projrun.journal.journal import EXPERIMENT_ID
from projrun.tracking.entities import Experiment, Run
from projrun.tracking.origin import run_of_origin
from projrun.tracking.runs import RunStore

_DEFAULT = "0"
_SERVED = "mlflow-artifacts:"


def find_experiment(target: RunStore, experiment: Experiment) -> str:
    """The id in the target of an experiment; one that does not exist there is created."""
    chosen = next((tag.value for tag in experiment.tags if tag.key == EXPERIMENT_ID), None)
    if chosen is None and experiment.experiment_id == _DEFAULT:
        chosen = _DEFAULT
    if chosen is not None:
        try:
            return _active(target.get_experiment(chosen))
        except NotFoundError:
            if chosen != _DEFAULT:
                raise
    return named_experiment(target, experiment)


def named_experiment(target: RunStore, experiment: Experiment) -> str:
    """The id in the target of the experiment with that name, created if needed. InvalidValueError for a deleted one."""
    found = target.get_experiment_by_name(experiment.name)
    if found is None:
        own = experiment.artifact_location
        location = "" if own.startswith(_SERVED) else own
        try:
            return target.create_experiment(experiment.name, location, experiment.tags)
        except AlreadyExistsError:  # made a moment ago, by a call without an answer or by another run
            found = target.get_experiment_by_name(experiment.name)
    if found is None:
        raise TrackingError(f"{target.uri} can neither find nor create experiment {experiment.name!r}")
    return _active(found)


def _active(found: Experiment) -> str:
    if found.lifecycle_stage != "active":
        raise InvalidValueError(
            f"experiment {found.name!r} (id {found.experiment_id}) was deleted",
            hint="restore it, then try again",
        )
    return found.experiment_id


def find_or_create(target: RunStore, experiment_id: str, run: Run) -> Run:
    """The run in the target: the one that was created for it before, else a new one."""
    try:
        return run_of_origin(target, experiment_id, run.run_id)
    except NotFoundError:
        return target.create_run(
            experiment_id,
            run_name=run.run_name,
            user_id=run.user_id,
            start_time=run.start_time,
            origin_id=run.run_id,
        )
