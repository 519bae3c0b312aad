"""Runs, and what is logged to them."""

from __future__ import annotations

import os
import sys
from time import time

from . import state
from .entities import Run
from .environment import is_silent, never_raises, not_logged, now, warn
from .errors import LogError
from .machine import watch
from .sender import flush, prepare
from .values import number, pairs, whole, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .values import Json

_WAITING = 1_000_000
"""Values in memory while a server does not keep up; then the caller waits."""
_queue, _append, _threads = state.queue, state.queue.append, state.threads


def current_run(run_id: str | None = None) -> Run:
    """The run of that id, else the active one, else a new one, as with MLflow."""
    if run_id is not None:
        prepare()
        return Run(run_id, is_silent=is_silent())
    return active_run() or start_run()


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> Run:
    """Start a run, or go on with `run_id`; in a run of `projrun run`, with that one. Raises LogError for a second one.

    It is created in the background; `run.info` waits for it.
    """
    runs = state.active()
    if runs and not nested:
        raise LogError(
            f"the run {runs[-1].info.run_id} is active already: call end_run() first, or start_run(nested=True)"
        )
    existing = run_id or (None if runs else os.environ.pop("MLFLOW_RUN_ID", None))
    run = Run(existing or "", is_silent=is_silent())
    prepare()
    own = {key: str(value) for key, value in (tags or {}).items()}
    if description:
        own["mlflow.note.content"] = description
    if existing:
        state.put(run, "runs/update", {"status": "RUNNING", **({"run_name": run_name} if run_name else {})})
        state.put(run, "runs/log-batch", {"tags": pairs(own)})
    else:
        parent = parent_run_id or (runs[-1] if runs else None)
        state.put(run, "runs/create", _new_run(experiment_id, run_name, parent, own))
    runs.append(run)
    state.open_runs.append(run)
    watch(run, log_system_metrics)
    return run


@never_raises
def end_run(status: str = "FINISHED") -> None:
    """End the active run, if there is one."""
    state.end(status)


def active_run() -> Run | None:
    """The innermost run that this thread has started."""
    runs = state.active()
    return runs[-1] if runs else None


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> None:
    """A value of a metric: any number, NaN and infinities too. `timestamp` is in ms, now by default."""
    try:
        try:
            run = _threads.runs[-1] if run_id is None else current_run(run_id)
        except (AttributeError, IndexError):
            run = current_run()
        if type(value) is not float:
            converted = number(key, value)
            if converted is None:
                return
            value = converted
        if type(step) is not int:
            step = 0 if step is None else whole(f"step of metric {key!r}", step)
        when = int(time() * 1000) if timestamp is None else whole(f"time of metric {key!r}", timestamp)
        if type(key) is not str:
            key = str(key)
        if model_id is None and dataset is None:
            _append((run, key, value, when, step))
        else:
            state.put(run, "runs/log-batch", {"metrics": [_point(key, value, when, step, model_id, dataset)]})
        if len(_queue) > _WAITING:
            flush()
    except Exception as error:
        not_logged("log_metric", error)


def _point(key: str, value: float, when: int, step: int, model_id: str | None, dataset: Any) -> Json:
    """A metric that says of which model or dataset it is."""
    about = {
        "model_id": model_id,
        "dataset_name": getattr(dataset, "name", None),
        "dataset_digest": getattr(dataset, "digest", None),
    }
    point = {"key": key, "value": written(value), "timestamp": when, "step": step}
    return {**point, **{name: text for name, text in about.items() if text}}


@never_raises
def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> None:
    """Values of several metrics, at one time."""
    when = timestamp or now()
    for key, value in metrics.items():
        log_metric(key, value, step, synchronous, when, run_id, model_id, dataset)


def log_param(key: str, value: object, synchronous: bool | None = None) -> object:
    """A param: what the run was started with. A second value for it is refused. Gives the value back."""
    log_params({key: value})
    return value


@never_raises
def log_params(
    params: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None
) -> None:
    """Several params."""
    state.put(current_run(run_id), "runs/log-batch", {"params": pairs(params)})


def set_tag(key: str, value: object, synchronous: bool | None = None) -> None:
    """A tag; a second value replaces it."""
    set_tags({key: value})


@never_raises
def set_tags(tags: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None) -> None:
    """Several tags."""
    state.put(current_run(run_id), "runs/log-batch", {"tags": pairs(tags)})


@never_raises
def delete_tag(key: str) -> None:
    """Remove a tag of the active run."""
    state.put(current_run(), "runs/delete-tag", {"key": key})


@never_raises
def log_input(dataset: Any, context: str | None = None, tags: Mapping[str, str] | None = None) -> None:
    """A dataset that the run uses: one of `mlflow.data`, or anything with its `to_dict()`."""
    said = dataset.to_dict() if hasattr(dataset, "to_dict") else dict(dataset)
    fields = ("name", "digest", "source_type", "source", "schema", "profile")
    about = {name: str(said[name]) for name in fields if said.get(name)}
    labels = {**(tags or {}), **({"mlflow.data.context": context} if context else {})}
    state.put(current_run(), "runs/log-inputs", {"datasets": [{"dataset": about, "tags": pairs(labels)}]})


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """Where the active run keeps its artifacts, or one of them."""
    root = current_run().info.artifact_uri
    return f"{root.rstrip('/')}/{artifact_path.lstrip('/')}" if artifact_path else root


def set_tracking_uri(uri: str | os.PathLike[str]) -> None:
    """Where runs are recorded from now on: an MLflow server, `sqlite:///FILE`, or "" for projrun's own store."""
    flush()
    state.uri = os.fspath(uri)
    # As MLflow does, for processes that this one starts.
    os.environ["MLFLOW_TRACKING_URI"] = state.uri


def get_tracking_uri() -> str:
    """Where runs are recorded; empty for projrun's own store."""
    return state.tracking_uri()


def _new_run(
    experiment_id: str | None, run_name: str | None, parent: Run | str | None, own: Mapping[str, str]
) -> Json:
    """The body of the call that creates a run, with what MLflow's client says of a script."""
    user = _user()
    tags = {
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": (sys.argv and sys.argv[0]) or "<console>",
        "mlflow.user": os.environ.get("MLFLOW_TRACKING_USERNAME") or user,
    }
    return {
        "experiment": state.chosen_experiment(experiment_id),
        "run_name": run_name,
        "user_id": user,
        "start_time": now(),
        "tags": {**tags, **_context(), **own},
        "parent": parent,
    }


def _user() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (ImportError, KeyError, OSError):  # a container's uid without a name
        return "unknown"


def _context() -> Mapping[str, str]:
    """Tags that whoever starts the script has for its runs."""
    text = os.environ.get("MLFLOW_RUN_CONTEXT")
    if not text:
        return {}
    from json import loads

    try:
        return {str(key): str(value) for key, value in loads(text).items()}
    except (ValueError, AttributeError):
        warn("MLFLOW_RUN_CONTEXT", "is no JSON object of tags")
        return {}
