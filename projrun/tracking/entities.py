"""The records of MLflow's tracking model, as values. Times are milliseconds since the epoch, UTC."""

from __future__ import annotations

from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.statuses import LifecycleStage, RunStatus


class Param(NamedTuple):
    """A parameter of a run: written once."""

    key: str
    value: str


class Tag(NamedTuple):
    """A tag of a run, an experiment, a model or a version: may be overwritten."""

    key: str
    value: str


class Metric(NamedTuple):
    """One measured value."""

    key: str
    value: float
    timestamp: int
    step: int = 0
    dataset_name: str | None = None
    dataset_digest: str | None = None
    model_id: str | None = None
    run_id: str | None = None


class Experiment(NamedTuple):
    """A named set of runs."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage = "active"
    creation_time: int = 0
    last_update_time: int = 0
    tags: tuple[Tag, ...] = ()


class Dataset(NamedTuple):
    """A dataset that a run read, with the tags of that use (`mlflow.data.context`)."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None
    tags: tuple[Tag, ...] = ()


class ModelOutput(NamedTuple):
    """A logged model that a run wrote, at a step."""

    model_id: str
    step: int = 0


class Run(NamedTuple):
    """A run: what it is (MLflow's `info`) and the latest of what it logged (MLflow's `data`)."""

    run_id: str
    experiment_id: str
    run_name: str
    status: RunStatus
    start_time: int
    end_time: int | None
    artifact_uri: str
    user_id: str = ""
    lifecycle_stage: LifecycleStage = "active"
    metrics: tuple[Metric, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    model_inputs: tuple[str, ...] = ()
    model_outputs: tuple[ModelOutput, ...] = ()

    @property
    def duration(self) -> int | None:
        """Milliseconds, also where the clock was set back meanwhile; None for a run that has not ended."""
        return None if self.end_time is None else max(self.end_time - self.start_time, 0)

    def tag(self, key: str) -> str | None:
        """The value of a tag, or None."""
        return next((tag.value for tag in self.tags if tag.key == key), None)


class FileInfo(NamedTuple):
    """An artifact: a file or a folder. `path` is relative to the artifact root, with `/`; `size` in bytes."""

    path: str
    is_dir: bool
    size: int | None = None


class LoggedModel(NamedTuple):
    """A model of MLflow 3 that was logged by a run (`m-…`)."""

    model_id: str
    experiment_id: str
    name: str
    artifact_uri: str
    creation_time: int
    last_update_time: int
    status: str = "LOGGED_MODEL_PENDING"
    model_type: str = ""
    source_run_id: str = ""
    tags: tuple[Tag, ...] = ()
    params: tuple[Param, ...] = ()
    metrics: tuple[Metric, ...] = ()


class ModelVersion(NamedTuple):
    """A numbered version of a registered model."""

    name: str
    version: str
    creation_time: int
    last_update_time: int
    source: str
    run_id: str = ""
    status: str = "READY"
    description: str = ""
    model_id: str = ""
    run_link: str = ""
    current_stage: str = "None"
    tags: tuple[Tag, ...] = ()
    aliases: tuple[str, ...] = ()
    user_id: str = ""


class ModelAlias(NamedTuple):
    """A name for one version of a registered model (`models:/name@alias`)."""

    alias: str
    version: str


class RegisteredModel(NamedTuple):
    """A name in the model registry."""

    name: str
    creation_time: int
    last_update_time: int
    description: str = ""
    tags: tuple[Tag, ...] = ()
    latest_versions: tuple[ModelVersion, ...] = ()
    """The newest of each stage."""
    aliases: tuple[ModelAlias, ...] = ()


class RunPage(NamedTuple):
    """A page of a search; `next_page_token` is empty on the last."""

    runs: tuple[Run, ...]
    next_page_token: str = ""


class LoggedModelPage(NamedTuple):
    """A page of a search; `next_page_token` is empty on the last."""

    models: tuple[LoggedModel, ...]
    next_page_token: str = ""


class ExperimentPage(NamedTuple):
    """A page of a search; `next_page_token` is empty on the last."""

    experiments: tuple[Experiment, ...]
    next_page_token: str = ""


class MetricPage(NamedTuple):
    """A page of a metric's history, oldest first as logged; `next_page_token` is empty on the last."""

    metrics: tuple[Metric, ...]
    next_page_token: str = ""


class RegisteredModelPage(NamedTuple):
    """A page of a search; `next_page_token` is empty on the last."""

    models: tuple[RegisteredModel, ...]
    next_page_token: str = ""


class ModelVersionPage(NamedTuple):
    """A page of a search; `next_page_token` is empty on the last."""

    versions: tuple[ModelVersion, ...]
    next_page_token: str = ""
