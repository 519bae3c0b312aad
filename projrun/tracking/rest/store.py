"""`RestStore`: a RunStore over MLflow's REST API 2.0, which servers of MLflow 2.x and 3.x speak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError, OverdueError, TrackingError
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import (
    Experiment,
    ExperimentPage,
    Metric,
    MetricPage,
    Param,
    Run,
    RunPage,
    Tag,
)
from projrun.tracking.origin import ORIGIN, find_by_origin
from projrun.tracking.rest import wire
from projrun.tracking.rest.transport import API, Transport
from projrun.tracking.rest.wire import search_body
from projrun.tracking.runs import Deadline
from projrun.tracking.statuses import RunStatus, ViewType
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.parts import Part

_PARTS = {
    "Histories": "projrun.tracking.rest.histories:RestHistories",
    "Inputs": "projrun.tracking.rest.inputs:RestInputs",
    "LifeCycle": "projrun.tracking.rest.life_cycle:RestLifeCycle",
    "LoggedModels": "projrun.tracking.rest.logged_models:RestLoggedModels",
    "ModelRegistry": "projrun.tracking.rest.registry:RestRegistry",
    "Traces": "projrun.tracking.rest.traces:RestTraces",
}
"""What a server keeps beside runs, by the contract's name: see `projrun.tracking.parts`."""
# The limits of one runs/log-batch (MLflow's REST reference, "Log Batch").
MOST_ITEMS, MOST_PARAMS, MOST_TAGS = 1000, 100, 100
_PARAM_LIMIT, _OLD_PARAM_LIMIT = 6000, 500


class RestStore:
    """A tracking server.

    Until a run has begun (`create_run`, or `update_run` to RUNNING) every failure is reported at once. From
    then on, calls that may be sent twice are retried a few times while a server restarts or is overloaded.
    """

    def __init__(
        self,
        uri: str,
        environ: Mapping[str, str],
        *,
        patient: bool = False,
        deadline: Deadline | None = None,
    ) -> None:
        """Raises RequestError for settings that cannot work; does not contact the server."""
        self.transport = Transport.tracking(uri, environ, patient=patient, deadline=deadline)
        self.uri = self.transport.shown
        self._param_value_limit: int | None = None

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def part(self, contract: type[Part]) -> Part | None:
        """What it keeps beside runs."""
        from projrun.tracking.parts import open_part

        return open_part(_PARTS, contract, self.transport)

    # experiments

    def create_experiment(self, name: str, artifact_location: str = "", tags: Sequence[Tag] = ()) -> str:
        """The new experiment's id; AlreadyExistsError also for the name of a deleted one."""
        body: dict[str, object] = {"name": name, "tags": wire.pairs(list(tags))}
        if artifact_location:
            body["artifact_location"] = artifact_location
        return self.transport.post(
            f"{API}experiments/create", body, wire.experiment_id_answer, idempotent=False
        )

    def get_experiment(self, experiment_id: str) -> Experiment:
        """NotFoundError if it does not exist; deleted ones are found."""
        query = [("experiment_id", experiment_id)]
        return self.transport.get(f"{API}experiments/get", query, wire.experiment_answer)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """None if it does not exist; deleted ones are found."""
        query = [("experiment_name", name)]
        try:
            return self.transport.get(f"{API}experiments/get-by-name", query, wire.experiment_answer)
        except NotFoundError:
            return None

    def search_experiments(
        self,
        *,
        view_type: ViewType = "ACTIVE_ONLY",
        max_results: int = 1000,
        filter_string: str = "",
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> ExperimentPage:
        """A page of experiments."""
        body = {
            "view_type": view_type,
            **search_body(filter_string, max_results, order_by, page_token),
        }
        return self.transport.post(f"{API}experiments/search", body, wire.experiments_answer)

    def set_experiment_tag(self, experiment_id: str, tag: Tag) -> None:
        """Set or overwrite a tag."""
        body = {"experiment_id": experiment_id, "key": tag.key, "value": tag.value}
        self.transport.post(f"{API}experiments/set-experiment-tag", body, wire.nothing)

    # runs

    def create_run(
        self,
        experiment_id: str,
        *,
        run_name: str = "",
        user_id: str = "",
        start_time: int,
        tags: Sequence[Tag] = (),
        origin_id: str = "",
    ) -> Run:
        """A new run, RUNNING; NotFoundError without the experiment.

        A server that fails may have created it: with an `origin_id`, that run is found and taken.
        """
        origin = [Tag(ORIGIN, origin_id)] if origin_id else []
        body: dict[str, object] = {
            "experiment_id": experiment_id,
            "start_time": start_time,
            "tags": wire.pairs([*tags, *origin]),
        }
        body |= {key: value for key, value in (("run_name", run_name), ("user_id", user_id)) if value}
        try:
            run = self.transport.post(f"{API}runs/create", body, wire.run_answer, idempotent=False)
        except (NotFoundError, AlreadyExistsError, InvalidValueError, OverdueError):
            raise
        except TrackingError:
            found = self._created(experiment_id, origin_id)
            if found is None:
                raise
            run = found
        self.transport.patient = True
        return run

    def _created(self, experiment_id: str, origin_id: str) -> Run | None:
        """The run that the server created without an answer, if it did and says so now."""
        if not origin_id:
            return None
        self.transport.hurry()
        try:
            return find_by_origin(self, experiment_id, origin_id)
        except TrackingError:
            return None

    def get_run(self, run_id: str) -> Run:
        """NotFoundError if it does not exist; deleted ones are found."""
        return self.transport.get(f"{API}runs/get", [("run_id", run_id)], wire.run_answer)

    def update_run(
        self,
        run_id: str,
        *,
        status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> Run:
        """What the run is now. MLflow's servers omit what it logged: those fields are empty."""
        changes = {"status": status, "end_time": end_time, "run_name": run_name}
        body = {"run_id": run_id} | {key: value for key, value in changes.items() if value is not None}
        run = self.transport.post(f"{API}runs/update", body, wire.run_info_answer)
        self.transport.patient = self.transport.patient or status == "RUNNING"
        return run

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        view_type: ViewType = "ACTIVE_ONLY",
        max_results: int = 1000,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> RunPage:
        """A page of runs; InvalidValueError for a filter or order that the server does not understand."""
        body = {
            "experiment_ids": list(experiment_ids),
            "run_view_type": view_type,
            **search_body(filter_string, max_results, order_by, page_token),
        }
        return self.transport.post(f"{API}runs/search", body, wire.runs_answer)

    def log_batch(
        self,
        run_id: str,
        *,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> None:
        """Log all of it, in as many requests as the server's limits ask for.

        InvalidValueError for a param that has another value already: what came before it may be logged.
        """
        for batch in _batches(metrics, params, tags):
            body = {
                "run_id": run_id,
                "metrics": [wire.metric_body(metric) for metric in batch.metrics],
                "params": wire.pairs(batch.params),
                "tags": wire.pairs(batch.tags),
            }
            self.transport.post(f"{API}runs/log-batch", body, wire.nothing)

    def set_tag(self, run_id: str, tag: Tag) -> None:
        """Set or overwrite a tag."""
        body = {"run_id": run_id, "key": tag.key, "value": tag.value}
        self.transport.post(f"{API}runs/set-tag", body, wire.nothing)

    def delete_tag(self, run_id: str, key: str) -> None:
        """NotFoundError where the run has no such tag."""
        body = {"run_id": run_id, "key": key}
        self.transport.post(f"{API}runs/delete-tag", body, wire.nothing, idempotent=False)

    def get_metric_history(
        self, run_id: str, key: str, *, max_results: int | None = None, page_token: str = ""
    ) -> MetricPage:
        """A page of a metric's values; all of them without `max_results`."""
        query = [("run_id", run_id), ("metric_key", key)]
        if max_results is not None:
            query.append(("max_results", str(max_results)))
        if page_token:
            query.append(("page_token", page_token))
        return self.transport.get(f"{API}metrics/get-history", query, wire.metrics_answer)

    def param_value_limit(self) -> int:
        """6,000 characters, or 500 before MLflow 2.10. The server is asked for its version once."""
        if self._param_value_limit is None:
            self._param_value_limit = _PARAM_LIMIT if self._version() >= (2, 10) else _OLD_PARAM_LIMIT
        return self._param_value_limit

    def _version(self) -> tuple[int, ...]:
        """The server's version; the newest known if it does not say, as other servers do not."""
        try:
            words = self.transport.text("version").strip().split(".")[:2]
            return tuple(int(word) for word in words)
        except (TrackingError, ValueError):
            return (3, 0)

    # artifacts

    def artifacts(self, artifact_uri: str) -> ArtifactRepository:
        """The files under a run's `artifact_uri`, wherever that leads."""
        return open_repository(artifact_uri, self.transport)


class _Batch(NamedTuple):
    metrics: list[Metric]
    params: list[Param]
    tags: list[Tag]


def _batches(metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[Tag]) -> Iterator[_Batch]:
    """All items, in batches that a server accepts; none for no items."""
    left = _Batch(list(metrics), list(params), list(tags))
    while any(left):
        some_params, some_tags = left.params[:MOST_PARAMS], left.tags[:MOST_TAGS]
        room = MOST_ITEMS - len(some_params) - len(some_tags)
        yield _Batch(left.metrics[:room], some_params, some_tags)
        left = _Batch(left.metrics[room:], left.params[MOST_PARAMS:], left.tags[MOST_TAGS:])
