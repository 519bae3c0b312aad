"""Runs: create, get, update, search, and what is logged to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from projrun.server import answers, permissions, wire
from projrun.server.api import AsCaller, Caller, reading, writing
from projrun.server.permissions import Level, Resource, models_at
from projrun.tracking import limits
from projrun.tracking.entities import Param, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.statuses import RunStatus, ViewType

_FEW = 100
"""Values that are written in less than a millisecond."""


class _Create(wire.Message):
    experiment_id: str
    user_id: str = ""
    run_name: str = ""
    start_time: wire.Int64 = 0
    tags: tuple[wire.Pair, ...] = ()


class _Found(msgspec.Struct):
    run: answers.RunAnswer


class _Update(wire.OfRun):
    status: RunStatus | None = None
    end_time: wire.Int64 | None = None
    run_name: str | None = None


class _Updated(msgspec.Struct):
    run_info: answers.RunInfo


class _Search(wire.Message):
    experiment_ids: tuple[str, ...] = ()
    filter: str = ""
    run_view_type: ViewType = "ACTIVE_ONLY"
    max_results: wire.Int64 = 1000
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class _Page(msgspec.Struct, omit_defaults=True):
    runs: list[answers.RunAnswer] = []
    next_page_token: str = ""


class _Metric(wire.MetricFields, kw_only=True):
    EITHER = wire.OfRun.EITHER
    key: str
    run_id: str = ""
    run_uuid: str = ""

    @property
    def run(self) -> str:
        """As of all messages about a run."""
        return wire.OfRun(self.run_id, self.run_uuid).run


class _Pair(wire.OfRun, kw_only=True):
    key: str
    value: str = ""


class _Batch(wire.OfRun):
    metrics: tuple[wire.MetricFields, ...] = ()
    params: tuple[wire.Pair, ...] = ()
    tags: tuple[wire.Pair, ...] = ()

    @property
    def little(self) -> bool:
        """Those of a step of training, or the params that a script begins with."""
        return len(self.metrics) + len(self.params) + len(self.tags) <= _FEW


class _Model(wire.OfRun, kw_only=True):
    model_json: str


class _Inputs(wire.OfRun):
    datasets: tuple[wire.DatasetInput, ...] = ()
    models: tuple[wire.ModelReference, ...] = ()


class _Outputs(wire.OfRun, kw_only=True):
    models: tuple[wire.ModelReference, ...]


def _create(store: RunStore, message: _Create, caller: Caller) -> _Found:
    run = store.create_run(
        message.experiment_id,
        run_name=message.run_name,
        user_id=caller.user or message.user_id,
        start_time=message.start_time,
        tags=wire.tags(message.tags),
    )
    caller.on_create(run.run_id)
    return _Found(answers.run(run))


def _get(store: RunStore, message: wire.OfRun) -> _Found:
    return _Found(answers.run(store.get_run(message.run)))


def _update(store: RunStore, message: _Update) -> _Updated:
    run = store.update_run(
        message.run, status=message.status, end_time=message.end_time, run_name=message.run_name
    )
    return _Updated(answers.run_info(run))


def _search(store: RunStore, message: _Search) -> _Page:
    page = store.search_runs(
        message.experiment_ids,
        filter_string=message.filter,
        view_type=message.run_view_type,
        max_results=message.max_results,
        order_by=message.order_by,
        page_token=message.page_token,
    )
    return _Page([answers.run(run) for run in page.runs], page.next_page_token)


def _log_metric(store: RunStore, message: _Metric) -> None:
    store.log_batch(message.run, metrics=(message.metric(),))


def _log_parameter(store: RunStore, message: _Pair) -> None:
    store.log_batch(message.run, params=(Param(message.key, message.value),))


def _log_batch(store: RunStore, message: _Batch) -> None:
    metrics = wire.metrics(message.metrics)
    params, tags = wire.params(message.params), wire.tags(message.tags)
    limits.check_batch(metrics, params, tags)
    store.log_batch(message.run, metrics=metrics, params=params, tags=tags)


def _set_tag(store: RunStore, message: _Pair) -> None:
    store.set_tag(message.run, Tag(message.key, message.value))


def _delete_tag(store: RunStore, message: _Pair) -> None:
    store.delete_tag(message.run, message.key)


def _log_inputs(store: RunStore, message: _Inputs) -> None:
    datasets = tuple(dataset.entity() for dataset in message.datasets)
    part_of(store, Inputs).log_inputs(
        message.run, datasets, tuple(model.model_id for model in message.models)
    )


def _log_outputs(store: RunStore, message: _Outputs) -> None:
    part_of(store, Inputs).log_outputs(message.run, tuple(model.output() for model in message.models))


def _log_model(store: RunStore, message: _Model) -> None:
    part_of(store, Inputs).record_model(message.run, message.model_json)


def _metric_models(message: Any) -> Iterable[tuple[Level, Resource]]:
    """A metric that names a logged model is the model's, too."""
    return models_at("EDIT", [metric.model_id for metric in getattr(message, "metrics", (message,))])


def _models(message: Any) -> Iterable[tuple[Level, Resource]]:
    return models_at("EDIT", [model.model_id for model in message.models])


_EDIT_METRICS = permissions.EDIT_RUN._replace(also=_metric_models)
_EDIT_MODELS = permissions.EDIT_RUN._replace(also=_models)

ROUTES = (
    writing("POST", "runs/create", _Create, AsCaller(_create), needs=permissions.EDIT_EXPERIMENT),
    reading("GET", "runs/get", wire.OfRun, _get, needs=permissions.READ_RUN),
    writing("POST", "runs/update", _Update, _update, needs=permissions.EDIT_RUN),
    reading("POST", "runs/search", _Search, _search, needs=permissions.SEARCH_EXPERIMENTS),
    writing("POST", "runs/log-metric", _Metric, _log_metric, needs=_EDIT_METRICS),
    writing("POST", "runs/log-parameter", _Pair, _log_parameter, needs=permissions.EDIT_RUN),
    writing("POST", "runs/log-batch", _Batch, _log_batch, needs=_EDIT_METRICS),
    writing("POST", "runs/set-tag", _Pair, _set_tag, needs=permissions.EDIT_RUN),
    writing("POST", "runs/delete-tag", _Pair, _delete_tag, needs=permissions.EDIT_RUN),
    writing("POST", "runs/log-inputs", _Inputs, _log_inputs, needs=_EDIT_MODELS),
    writing("POST", "runs/outputs", _Outputs, _log_outputs, needs=_EDIT_MODELS),
    writing("POST", "runs/log-model", _Model, _log_model, needs=permissions.EDIT_RUN),
)
