"""MLflow's JSON, read once into entities and written from them. Unknown fields are ignored.

Numbers may come as text (proto3's JSON mapping writes int64 so), missing ones mean proto's defaults.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar, cast, get_args

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
    Tag,
)
from projrun.tracking.statuses import LifecycleStage, RunStatus

Json = Mapping[str, object]
_ITEM = TypeVar("_ITEM")
_STATUSES = frozenset(get_args(RunStatus))
_INFINITIES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class MalformedError(Exception):
    """An answer that is JSON and not MLflow's; the text says which field."""


# --- fields ---


def _text(value: Json, key: str, default: str | None = None) -> str:
    found = value.get(key)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise MalformedError(f"{key!r} is {_kind(found)}, not text")
    return found


def _name(value: Json, key: str) -> str:
    """An identifier: text that is not empty; a number is taken as its text (older servers' versions)."""
    found = value.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found:
        raise MalformedError(f"{key!r} is {_kind(found)}, not an identifier")
    return found


def _optional_text(value: Json, key: str) -> str | None:
    return _text(value, key) if value.get(key) is not None else None


def _integer(value: Json, key: str, default: int = 0) -> int:
    found = value.get(key)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        raise MalformedError(f"{key!r} is {_kind(found)}, not a number")
    try:
        return int(found)
    except (ValueError, OverflowError):
        raise MalformedError(f"{key!r} is {_kind(found)}, not a whole number") from None


def _optional_integer(value: Json, key: str) -> int | None:
    return _integer(value, key) if value.get(key) is not None else None


def _float(value: Json, key: str) -> float:
    found = value.get(key, 0.0)
    if isinstance(found, str) and found in _INFINITIES:
        return _INFINITIES[found]
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        raise MalformedError(f"{key!r} is {_kind(found)}, not a number")
    try:
        return float(found)
    except (ValueError, OverflowError):
        raise MalformedError(f"{key!r} is {_kind(found)}, not a number") from None


def _flag(value: Json, key: str) -> bool:
    found = value.get(key, False)
    if not isinstance(found, bool):
        raise MalformedError(f"{key!r} is {_kind(found)}, not true or false")
    return found


def _object(value: Json, key: str, *, required: bool = True) -> Json:
    found = value.get(key)
    if found is None and not required:
        return {}
    if not isinstance(found, dict):
        raise MalformedError(f"{key!r} is {_kind(found)}, not an object")
    return found


def _list(value: Json, key: str, parse: Callable[[Json], _ITEM]) -> tuple[_ITEM, ...]:
    found = value.get(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise MalformedError(f"{key!r} is not a list of objects")
    return tuple(parse(item) for item in found)


def _kind(value: object) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"


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


def model_version(value: Json) -> ModelVersion:
    """A version of a registered model."""
    return ModelVersion(
        name=_name(value, "name"),
        version=_name(value, "version"),
        creation_time=_integer(value, "creation_timestamp"),
        last_update_time=_integer(value, "last_updated_timestamp"),
        source=_text(value, "source", ""),
        run_id=_text(value, "run_id", ""),
        status=_text(value, "status", "READY"),
        description=_text(value, "description", ""),
        model_id=_text(value, "model_id", ""),
        run_link=_text(value, "run_link", ""),
        current_stage=_text(value, "current_stage", "None"),
        tags=_list(value, "tags", tag),
    )


def registered_model(value: Json) -> RegisteredModel:
    """A name in the model registry."""
    return RegisteredModel(
        name=_name(value, "name"),
        creation_time=_integer(value, "creation_timestamp"),
        last_update_time=_integer(value, "last_updated_timestamp"),
        description=_text(value, "description", ""),
        tags=_list(value, "tags", tag),
        latest_versions=_list(value, "latest_versions", model_version),
    )


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


def model_version_answer(value: Json) -> ModelVersion:
    """`model-versions/get` and `registered-models/alias`."""
    return model_version(_object(value, "model_version"))


def registered_model_answer(value: Json) -> RegisteredModel:
    """`registered-models/get`."""
    return registered_model(_object(value, "registered_model"))


def logged_model_answer(value: Json) -> LoggedModel:
    """`logged-models/{id}`."""
    return logged_model(_object(value, "model"))


def logged_models_answer(value: Json) -> LoggedModelPage:
    """`logged-models/search`."""
    return LoggedModelPage(_list(value, "models", logged_model), _text(value, "next_page_token", ""))


def artifact_uri_answer(value: Json) -> str:
    """`model-versions/get-download-uri`."""
    return _name(value, "artifact_uri")


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
