"""MLflow's JSON, read once into entities and written from them. Unknown fields are ignored.

Numbers may come as text (proto3's JSON mapping writes int64 so), missing ones mean proto's defaults.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast, get_args

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
    Param,
    Run,
    RunPage,
    Tag,
)
from projrun.tracking.inputs import DatasetUse
from projrun.tracking.rest.fields import Json
from projrun.tracking.rest.fields import MalformedError as MalformedError
from projrun.tracking.rest.fields import decimal as _float
from projrun.tracking.rest.fields import flag as _flag
from projrun.tracking.rest.fields import integer as _integer
from projrun.tracking.rest.fields import items as _list
from projrun.tracking.rest.fields import name as _name
from projrun.tracking.rest.fields import nested as _object
from projrun.tracking.rest.fields import optional_integer as _optional_integer
from projrun.tracking.rest.fields import optional_text as _optional_text
from projrun.tracking.rest.fields import text as _text
from projrun.tracking.statuses import LifecycleStage, RunStatus

_STATUSES = frozenset(get_args(RunStatus))
_INFINITIES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _stage(value: Json) -> LifecycleStage:
    return "deleted" if _text(value, "lifecycle_stage", "active").lower() == "deleted" else "active"


# --- entities ---


def nothing(value: Json) -> None:
    """For answers that hold nothing."""


def param(value: Json) -> Param:
    """A param."""
    return Param(_text(value, "key"), _text(value, "value", ""))


def tag(value: Json) -> Tag:
    """A tag."""
    return Tag(_text(value, "key"), _text(value, "value", ""))


def metric(value: Json) -> Metric:
    """A metric. MLflow's SQL stores keep infinities as the largest double: they come back as that."""
    return Metric(
        _text(value, "key"),
        _float(value, "value"),
        _integer(value, "timestamp"),
        _integer(value, "step"),
        dataset_name=_optional_text(value, "dataset_name"),
        dataset_digest=_optional_text(value, "dataset_digest"),
        model_id=_optional_text(value, "model_id"),
        run_id=_optional_text(value, "run_id"),
    )


def experiment(value: Json) -> Experiment:
    """An experiment."""
    return Experiment(
        experiment_id=_name(value, "experiment_id"),
        name=_text(value, "name", ""),
        artifact_location=_text(value, "artifact_location", ""),
        lifecycle_stage=_stage(value),
        creation_time=_integer(value, "creation_time"),
        last_update_time=_integer(value, "last_update_time"),
        tags=_list(value, "tags", tag),
    )


def run(value: Json) -> Run:
    """A run: MLflow's `info`, `data`, `inputs` and `outputs`."""
    info = _object(value, "info")
    data = _object(value, "data", required=False)
    inputs = _object(value, "inputs", required=False)
    outputs = _object(value, "outputs", required=False)
    status = _text(info, "status", "RUNNING")
    if status not in _STATUSES:
        raise MalformedError("'status' is none of MLflow's")
    return Run(
        run_id=_name(info, "run_id" if "run_id" in info else "run_uuid"),
        experiment_id=_name(info, "experiment_id"),
        run_name=_text(info, "run_name", ""),
        status=cast(RunStatus, status),
        start_time=_integer(info, "start_time"),
        # Proto's default for a run that has not ended.
        end_time=_optional_integer(info, "end_time") or None,
        artifact_uri=_text(info, "artifact_uri", ""),
        user_id=_text(info, "user_id", ""),
        lifecycle_stage=_stage(info),
        metrics=_list(data, "metrics", metric),
        params=_list(data, "params", param),
        tags=_list(data, "tags", tag),
        datasets=_list(inputs, "dataset_inputs", _dataset_input),
        model_inputs=_list(inputs, "model_inputs", lambda item: _name(item, "model_id")),
        model_outputs=_list(outputs, "model_outputs", _model_output),
    )


def _dataset_input(value: Json) -> Dataset:
    dataset = _object(value, "dataset")
    return Dataset(
        name=_text(dataset, "name"),
        digest=_text(dataset, "digest", ""),
        source_type=_text(dataset, "source_type", ""),
        source=_text(dataset, "source", ""),
        schema=_optional_text(dataset, "schema"),
        profile=_optional_text(dataset, "profile"),
        tags=_list(value, "tags", tag),
    )


def _model_output(value: Json) -> ModelOutput:
    return ModelOutput(_name(value, "model_id"), _integer(value, "step"))


def file_info(value: Json) -> FileInfo:
    """An artifact; the server's path may be relative to the folder that was listed."""
    return FileInfo(_name(value, "path"), _flag(value, "is_dir"), _optional_integer(value, "file_size"))


def logged_model(value: Json) -> LoggedModel:
    """A model of MLflow 3."""
    info = _object(value, "info")
    data = _object(value, "data", required=False)
    return LoggedModel(
        model_id=_name(info, "model_id"),
        experiment_id=_name(info, "experiment_id"),
        name=_text(info, "name", ""),
        artifact_uri=_text(info, "artifact_uri", ""),
        creation_time=_integer(info, "creation_timestamp_ms"),
        last_update_time=_integer(info, "last_updated_timestamp_ms"),
        status=_text(info, "status", "LOGGED_MODEL_PENDING"),
        model_type=_text(info, "model_type", ""),
        source_run_id=_text(info, "source_run_id", ""),
        tags=_list(info, "tags", tag),
        params=_list(data, "params", param),
        metrics=_list(data, "metrics", metric),
    )


# --- answers ---


def experiment_id_answer(value: Json) -> str:
    """`experiments/create`."""
    return _name(value, "experiment_id")


def experiment_answer(value: Json) -> Experiment:
    """`experiments/get` and `get-by-name`."""
    return experiment(_object(value, "experiment"))


def experiments_answer(value: Json) -> ExperimentPage:
    """`experiments/search`."""
    return ExperimentPage(_list(value, "experiments", experiment), _text(value, "next_page_token", ""))


def run_answer(value: Json) -> Run:
    """`runs/create` and `runs/get`."""
    return run(_object(value, "run"))


def run_info_answer(value: Json) -> Run:
    """`runs/update`, which answers with the `info` alone."""
    return run({"info": _object(value, "run_info")})


def runs_answer(value: Json) -> RunPage:
    """`runs/search`."""
    return RunPage(_list(value, "runs", run), _text(value, "next_page_token", ""))


def metrics_answer(value: Json) -> MetricPage:
    """`metrics/get-history`."""
    return MetricPage(_list(value, "metrics", metric), _text(value, "next_page_token", ""))


def files_answer(value: Json) -> tuple[FileInfo, ...]:
    """`mlflow-artifacts/artifacts?path=`."""
    return _list(value, "files", file_info)


def logged_model_answer(value: Json) -> LoggedModel:
    """`logged-models/{id}`."""
    return logged_model(_object(value, "model"))


def logged_models_answer(value: Json) -> LoggedModelPage:
    """`logged-models/search`."""
    return LoggedModelPage(_list(value, "models", logged_model), _text(value, "next_page_token", ""))


def datasets_answer(value: Json) -> tuple[DatasetUse, ...]:
    """`experiments/search-datasets`."""
    return _list(value, "dataset_summaries", _dataset_use)


def _dataset_use(value: Json) -> DatasetUse:
    return DatasetUse(
        _name(value, "experiment_id"),
        _text(value, "name"),
        _text(value, "digest", ""),
        _text(value, "context", ""),
    )


# --- what is sent ---


def pairs(items: tuple[Param, ...] | tuple[Tag, ...] | list[Param] | list[Tag]) -> list[dict[str, object]]:
    """Params or tags."""
    return [{"key": item.key, "value": item.value} for item in items]


def metric_body(item: Metric) -> dict[str, object]:
    """A metric, without the fields that older servers do not know when they are not set."""
    body: dict[str, object] = {
        "key": item.key,
        "value": item.value if math.isfinite(item.value) else _infinity_name(item.value),
        "timestamp": item.timestamp,
        "step": item.step,
    }
    known = {
        "dataset_name": item.dataset_name,
        "dataset_digest": item.dataset_digest,
        "model_id": item.model_id,
    }
    return body | {key: value for key, value in known.items() if value is not None}


def dataset_body(item: Dataset) -> dict[str, object]:
    """A dataset that a run read, with the tags of that use."""
    known = {key: value for key, value in item._asdict().items() if key != "tags" and value is not None}
    return {"dataset": known, "tags": pairs(item.tags)}


def _infinity_name(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def search_body(
    filter_string: str, max_results: int, order_by: Sequence[object], page_token: str
) -> dict[str, object]:
    """What all searches have in common."""
    body: dict[str, object] = {"max_results": max_results}
    optional = (("filter", filter_string), ("order_by", list(order_by)), ("page_token", page_token))
    return body | {key: value for key, value in optional if value}
