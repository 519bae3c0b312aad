"""`RunStore`: experiments, runs and what they log. `RestStore` (any MLflow-compatible server) and `SqlStore` fulfil it.

Errors: NotFoundError, AlreadyExistsError, InvalidValueError, else TrackingError. A store is used
from one thread at a time unless it says otherwise. Limits and semantics are MLflow's.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from projrun.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from projrun.tracking.statuses import RunStatus, ViewType


class RunStore(Protocol):
    """Experiments, runs, params, metrics, tags and artifacts."""

    uri: str
    """Where it is, without credentials: what is shown to people."""

    # experiments
    def create_experiment(self, name: str, artifact_location: str = "", tags: Sequence[Tag] = ()) -> str: ...
    def get_experiment(self, experiment_id: str) -> Experiment: ...
    def get_experiment_by_name(self, name: str) -> Experiment | None: ...
    def search_experiments(
        self,
        *,
        view_type: ViewType = "ACTIVE_ONLY",
        max_results: int = 1000,
        filter_string: str = "",
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> ExperimentPage: ...
    def set_experiment_tag(self, experiment_id: str, tag: Tag) -> None: ...

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
        """`origin_id`, where given, is the run's id, or becomes its tag `projrun.origin.run_id`."""
        ...

    def get_run(self, run_id: str) -> Run: ...
    def update_run(
        self,
        run_id: str,
        *,
        status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> Run: ...
    def search_runs(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        view_type: ViewType = "ACTIVE_ONLY",
        max_results: int = 1000,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> RunPage: ...
    def log_batch(
        self,
        run_id: str,
        *,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> None: ...
    def set_tag(self, run_id: str, tag: Tag) -> None: ...
    def delete_tag(self, run_id: str, key: str) -> None: ...
    def get_metric_history(
        self, run_id: str, key: str, *, max_results: int | None = None, page_token: str = ""
    ) -> MetricPage: ...

    # artifacts
    def artifacts(self, artifact_uri: str) -> ArtifactRepository: ...

    def param_value_limit(self) -> int:
        """The longest parameter value that the store takes, in characters."""
        ...

    def close(self) -> None: ...
