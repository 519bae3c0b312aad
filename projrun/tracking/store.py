"""The tracking store's contract. `RestStore` (any MLflow-compatible server) and `SqlStore` fulfil it.

Errors: NotFoundError, AlreadyExistsError, InvalidValueError, else TrackingError. A store is used
from one thread at a time unless it says otherwise. Limits and semantics are MLflow's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from projrun.tracking.entities import (
    Dataset,
    Experiment,
    ExperimentPage,
    FileInfo,
    LoggedModel,
    LoggedModelPage,
    Metric,
    MetricPage,
    ModelOutput,
    ModelVersion,
    Param,
    RegisteredModel,
    Run,
    RunPage,
    RunStatus,
    Tag,
    ViewType,
)


class TrackingStore(Protocol):
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
    ) -> Run: ...
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


class ModelStore(Protocol):
    """What MLflow 3's `log_model` and the model registry need; served by `SqlStore`."""

    def log_inputs(self, run_id: str, datasets: Sequence[Dataset], model_ids: Sequence[str] = ()) -> None: ...
    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None: ...
    def create_logged_model(
        self,
        experiment_id: str,
        *,
        name: str = "",
        model_type: str = "",
        source_run_id: str = "",
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> LoggedModel: ...
    def get_logged_model(self, model_id: str) -> LoggedModel: ...
    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        max_results: int = 100,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> LoggedModelPage: ...
    def finalize_logged_model(self, model_id: str, status: str) -> LoggedModel: ...
    def log_logged_model_params(self, model_id: str, params: Sequence[Param]) -> None: ...
    def set_logged_model_tags(self, model_id: str, tags: Sequence[Tag]) -> None: ...
    def create_registered_model(
        self, name: str, *, description: str = "", tags: Sequence[Tag] = ()
    ) -> RegisteredModel: ...
    def get_registered_model(self, name: str) -> RegisteredModel: ...
    def create_model_version(
        self,
        name: str,
        *,
        source: str,
        run_id: str = "",
        description: str = "",
        model_id: str = "",
        run_link: str = "",
        tags: Sequence[Tag] = (),
    ) -> ModelVersion: ...
    def get_model_version(self, name: str, version: str) -> ModelVersion: ...
    def get_model_version_download_uri(self, name: str, version: str) -> str: ...


class ArtifactRepository(Protocol):
    """The files under one artifact URI. Paths are relative, with `/`; one that leads out is refused."""

    @property
    def folder(self) -> Path | None:
        """The folder on this machine that holds them; None if they are elsewhere."""
        ...

    def upload(self, file: Path, path: str) -> None:
        """Copy a file to `path`; an existing artifact is replaced."""
        ...

    def list(self, path: str = "") -> tuple[FileInfo, ...]:
        """The entries of a folder, sorted; empty where there is none."""
        ...

    def download(self, path: str, destination: Path) -> Path:
        """Copy an artifact (a file, or a folder with all it holds) into the folder `destination`."""
        ...
