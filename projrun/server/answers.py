"""What the server answers: entities in the JSON of MLflow's REST API, as MLflow 3's server writes it."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

import msgspec

from projrun.server.places import ArtifactUri
from projrun.server.wire import DatasetFields, DatasetInput, ModelReference, Pair, number
from projrun.tracking.entities import (
    Dataset,
    Experiment,
    FileInfo,
    LoggedModel,
    Metric,
    ModelVersion,
    Param,
    RegisteredModel,
    Run,
    Tag,
)


class MetricAnswer(msgspec.Struct, omit_defaults=True, gc=False):
    """A metric."""

    key: str
    value: float | str
    timestamp: int
    step: int
    dataset_name: str | None = None
    dataset_digest: str | None = None
    model_id: str | None = None
    run_id: str | None = None


class ExperimentAnswer(msgspec.Struct, omit_defaults=True):
    """An experiment."""

    experiment_id: str
    name: str
    artifact_location: ArtifactUri
    lifecycle_stage: str
    last_update_time: int
    creation_time: int
    tags: list[Pair] = []


class RunInfo(msgspec.Struct, omit_defaults=True):
    """What a run is."""

    run_id: str
    run_uuid: str
    experiment_id: str
    run_name: str
    user_id: str
    status: str
    start_time: int
    artifact_uri: ArtifactUri
    lifecycle_stage: str
    end_time: int | None = None


class RunData(msgspec.Struct, omit_defaults=True):
    """What a run logged."""

    metrics: list[MetricAnswer] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class ModelInput(msgspec.Struct):
    """A logged model that a run read."""

    model_id: str


class RunInputs(msgspec.Struct, omit_defaults=True):
    """What a run read."""

    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[ModelInput] = []


class RunOutputs(msgspec.Struct, omit_defaults=True):
    """What a run wrote."""

    model_outputs: list[ModelReference] = []


class RunAnswer(msgspec.Struct, omit_defaults=True):
    """A run."""

    info: RunInfo
    data: RunData
    inputs: RunInputs
    outputs: RunOutputs | None = None


class LoggedModelInfo(msgspec.Struct, omit_defaults=True):
    """What a logged model is."""

    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: ArtifactUri
    status: str
    model_type: str
    source_run_id: str
    tags: list[Pair] = []


class LoggedModelData(msgspec.Struct, omit_defaults=True):
    """What was logged of a model."""

    params: list[Pair] = []
    metrics: list[MetricAnswer] = []


class LoggedModelAnswer(msgspec.Struct):
    """A logged model."""

    info: LoggedModelInfo
    data: LoggedModelData


class ModelVersionAnswer(msgspec.Struct, omit_defaults=True):
    """A version of a registered model."""

    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    description: str
    source: ArtifactUri
    run_id: str
    status: str
    run_link: str
    model_id: str = ""
    tags: list[Pair] = []
    aliases: list[str] = []
    user_id: str = ""


class ModelAliasAnswer(msgspec.Struct):
    """An alias of a registered model."""

    alias: str
    version: str


class RegisteredModelAnswer(msgspec.Struct, omit_defaults=True):
    """A registered model."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""
    latest_versions: list[ModelVersionAnswer] = []
    tags: list[Pair] = []
    aliases: list[ModelAliasAnswer] = []


class File(msgspec.Struct, omit_defaults=True):
    """An artifact."""

    path: str
    is_dir: bool
    file_size: int | None = None


def pairs(values: tuple[Param, ...] | tuple[Tag, ...]) -> list[Pair]:
    """Params or tags."""
    return [Pair(key, value) for key, value in values]


def metric(value: Metric, *, run_id: str | None = None) -> MetricAnswer:
    """A metric; a run's own metrics do not name the run, a logged model's do."""
    key, figure, timestamp, step, dataset_name, dataset_digest, model_id, _ = value
    return MetricAnswer(key, number(figure), timestamp, step, dataset_name, dataset_digest, model_id, run_id)


def metrics(values: Iterable[Metric], *, of_runs: bool = False) -> list[MetricAnswer]:
    """A run's metrics, or those of several runs, which name them. There may be thousands: without calls for each."""
    return [
        MetricAnswer(
            key,
            figure if isfinite(figure) else number(figure),
            timestamp,
            step,
            name,
            digest,
            model,
            run if of_runs else None,
        )
        for key, figure, timestamp, step, name, digest, model, run in values
    ]


def experiment(value: Experiment) -> ExperimentAnswer:
    """An experiment."""
    return ExperimentAnswer(
        value.experiment_id,
        value.name,
        ArtifactUri(value.artifact_location),
        value.lifecycle_stage,
        value.last_update_time,
        value.creation_time,
        pairs(value.tags),
    )


def run_info(value: Run) -> RunInfo:
    """What a run is."""
    return RunInfo(
        run_id=value.run_id,
        run_uuid=value.run_id,
        experiment_id=value.experiment_id,
        run_name=value.run_name,
        user_id=value.user_id,
        status=value.status,
        start_time=value.start_time,
        artifact_uri=ArtifactUri(value.artifact_uri),
        lifecycle_stage=value.lifecycle_stage,
        end_time=value.end_time or None,
    )


def run(value: Run) -> RunAnswer:
    """A run with all that belongs to it."""
    return RunAnswer(
        run_info(value),
        RunData(metrics(value.metrics), pairs(value.params), pairs(value.tags)),
        RunInputs(
            [_dataset(dataset) for dataset in value.datasets],
            [ModelInput(model_id) for model_id in value.model_inputs],
        ),
        RunOutputs([ModelReference(*output) for output in value.model_outputs])
        if value.model_outputs
        else None,
    )


def _dataset(value: Dataset) -> DatasetInput:
    return DatasetInput(DatasetFields(*value[:6]), tuple(pairs(value.tags)))


def logged_model(value: LoggedModel) -> LoggedModelAnswer:
    """A logged model."""
    info = LoggedModelInfo(
        value.model_id,
        value.experiment_id,
        value.name,
        value.creation_time,
        value.last_update_time,
        ArtifactUri(value.artifact_uri),
        value.status,
        value.model_type,
        value.source_run_id,
        pairs(value.tags),
    )
    found = [metric(each, run_id=each.run_id) for each in value.metrics]
    return LoggedModelAnswer(info, LoggedModelData(pairs(value.params), found))


def model_version(value: ModelVersion) -> ModelVersionAnswer:
    """A version of a registered model."""
    return ModelVersionAnswer(
        value.name,
        value.version,
        value.creation_time,
        value.last_update_time,
        value.current_stage,
        value.description,
        ArtifactUri(value.source),
        value.run_id,
        value.status,
        value.run_link,
        value.model_id,
        pairs(value.tags),
        list(value.aliases),
        value.user_id,
    )


def registered_model(value: RegisteredModel) -> RegisteredModelAnswer:
    """A registered model."""
    return RegisteredModelAnswer(
        value.name,
        value.creation_time,
        value.last_update_time,
        value.description,
        [model_version(version) for version in value.latest_versions],
        pairs(value.tags),
        [ModelAliasAnswer(*alias) for alias in value.aliases],
    )


def files(values: tuple[FileInfo, ...]) -> list[File]:
    """Artifacts."""
    return [File(value.path, value.is_dir, value.size) for value in values]
