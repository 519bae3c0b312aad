"""Experiments: create, get, get-by-name, search, set-experiment-tag."""

from __future__ import annotations

import msgspec

from projrun.errors import NotFoundError
from projrun.server import answers, permissions, wire
from projrun.server.api import reading, writing
from projrun.server.places import ArtifactUri
from projrun.tracking.entities import Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.statuses import ViewType


class _Create(wire.Message):
    name: str
    artifact_location: ArtifactUri = msgspec.field(default_factory=ArtifactUri)
    tags: tuple[wire.Pair, ...] = ()


class _Created(msgspec.Struct):
    experiment_id: str


class _Get(wire.Message):
    experiment_id: str


class _GetByName(wire.Message):
    experiment_name: str


class _Found(msgspec.Struct):
    experiment: answers.ExperimentAnswer


class _Search(wire.Message):
    view_type: ViewType = "ACTIVE_ONLY"
    max_results: wire.Int64 = 1000
    filter: str = ""
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class _Page(msgspec.Struct, omit_defaults=True):
    experiments: list[answers.ExperimentAnswer] = []
    next_page_token: str = ""


class _SetTag(wire.Message):
    experiment_id: str
    key: str
    value: str = ""


class _SearchDatasets(wire.Message):
    experiment_ids: tuple[str, ...] = ()


class _DatasetUse(msgspec.Struct, omit_defaults=True):
    experiment_id: str
    name: str
    digest: str
    context: str = ""


class _Datasets(msgspec.Struct, omit_defaults=True):
    dataset_summaries: list[_DatasetUse] = []


def _create(store: RunStore, message: _Create) -> _Created:
    tags = wire.tags(message.tags)
    return _Created(store.create_experiment(message.name, message.artifact_location.text, tags))


def _get(store: RunStore, message: _Get) -> _Found:
    return _Found(answers.experiment(store.get_experiment(message.experiment_id)))


def _get_by_name(store: RunStore, message: _GetByName) -> _Found:
    experiment = store.get_experiment_by_name(message.experiment_name)
    if experiment is None:
        raise NotFoundError(f"Could not find experiment with name {message.experiment_name!r}")
    return _Found(answers.experiment(experiment))


def _search(store: RunStore, message: _Search) -> _Page:
    page = store.search_experiments(
        view_type=message.view_type,
        max_results=message.max_results,
        filter_string=message.filter,
        order_by=message.order_by,
        page_token=message.page_token,
    )
    return _Page([answers.experiment(found) for found in page.experiments], page.next_page_token)


def _set_tag(store: RunStore, message: _SetTag) -> None:
    store.set_experiment_tag(message.experiment_id, Tag(message.key, message.value))


def _search_datasets(store: RunStore, message: _SearchDatasets) -> _Datasets:
    found = part_of(store, Inputs).search_datasets(message.experiment_ids)
    return _Datasets([_DatasetUse(*use) for use in found])


ROUTES = (
    writing("POST", "experiments/create", _Create, _create, needs=permissions.CREATE_EXPERIMENT),
    reading("GET", "experiments/get", _Get, _get, needs=permissions.READ_EXPERIMENT),
    reading(
        "GET", "experiments/get-by-name", _GetByName, _get_by_name, needs=permissions.READ_EXPERIMENT_NAME
    ),
    reading("POST", "experiments/search", _Search, _search, needs=permissions.LIST_EXPERIMENTS),
    reading("GET", "experiments/search", _Search, _search, needs=permissions.LIST_EXPERIMENTS),
    writing("POST", "experiments/set-experiment-tag", _SetTag, _set_tag, needs=permissions.EDIT_EXPERIMENT),
    reading(
        "POST",
        "experiments/search-datasets",
        _SearchDatasets,
        _search_datasets,
        needs=permissions.READ_EXPERIMENTS,
    ),
)
