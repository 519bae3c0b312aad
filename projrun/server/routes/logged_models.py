"""Logged models, as MLflow 3's `log_model` and `load_model` use them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from projrun.server import answers, permissions, wire
from projrun.server.api import reading, writing
from projrun.server.files.names import safe_path
from projrun.server.permissions import Level, Resource, runs_at
from projrun.server.places import ArtifactUri
from projrun.tracking.logged_models import DatasetChoice, LoggedModels, ModelOrder
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.statuses import LoggedModelStatus


class _Create(wire.Message):
    experiment_id: str
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: tuple[wire.Pair, ...] = ()
    tags: tuple[wire.Pair, ...] = ()


class _Found(msgspec.Struct):
    model: answers.LoggedModelAnswer


class _Get(wire.Message):
    model_id: str
    allow_deleted: bool = False


class _Delete(wire.Message):
    model_id: str


class _DeleteTag(wire.Message):
    model_id: str
    tag_key: str


class _Dataset(wire.Message):
    dataset_name: str = ""
    dataset_digest: str = ""

    def choice(self) -> DatasetChoice:
        """As the store takes it."""
        return DatasetChoice(self.dataset_name, self.dataset_digest)


class _Finalize(wire.Message):
    model_id: str
    status: LoggedModelStatus


class _Params(wire.Message):
    model_id: str
    params: tuple[wire.Pair, ...] = ()


class _Tags(wire.Message):
    model_id: str
    tags: tuple[wire.Pair, ...] = ()


class _OrderBy(wire.Message):
    REFUSED: ClassVar[tuple[str, ...]] = (
        "dataset_name",
        "dataset_digest",
    )
    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""

    def order(self) -> ModelOrder:
        """As the store takes it."""
        dataset = DatasetChoice(self.dataset_name, self.dataset_digest) if self.dataset_name else None
        return ModelOrder(self.field_name, self.ascending, dataset)


class _Search(wire.Message):
    REFUSED: ClassVar[tuple[str, ...]] = ("datasets",)
    experiment_ids: tuple[str, ...]
    filter: str = ""
    datasets: tuple[_Dataset, ...] = ()
    max_results: wire.Int64 = 100
    order_by: tuple[_OrderBy, ...] = ()
    page_token: str = ""


class _Page(msgspec.Struct, omit_defaults=True):
    models: list[answers.LoggedModelAnswer] = []
    next_page_token: str = ""


class _List(wire.Message):
    REFUSED: ClassVar[tuple[str, ...]] = ("page_token",)
    model_id: str
    artifact_directory_path: str = ""


class _Files(msgspec.Struct, omit_defaults=True):
    root_uri: ArtifactUri
    files: list[answers.File] = []


def _create(store: RunStore, message: _Create) -> _Found:
    model = part_of(store, LoggedModels).create_logged_model(
        message.experiment_id,
        name=message.name,
        model_type=message.model_type,
        source_run_id=message.source_run_id,
        params=wire.params(message.params),
        tags=wire.tags(message.tags),
    )
    return _Found(answers.logged_model(model))


def _get(store: RunStore, message: _Get) -> _Found:
    return _Found(
        answers.logged_model(
            part_of(store, LoggedModels).get_logged_model(
                message.model_id, allow_deleted=message.allow_deleted
            )
        )
    )


def _finalize(store: RunStore, message: _Finalize) -> _Found:
    return _Found(
        answers.logged_model(
            part_of(store, LoggedModels).finalize_logged_model(message.model_id, message.status)
        )
    )


def _delete(store: RunStore, message: _Delete) -> None:
    part_of(store, LoggedModels).delete_logged_model(message.model_id)


def _delete_tag(store: RunStore, message: _DeleteTag) -> None:
    part_of(store, LoggedModels).delete_logged_model_tag(message.model_id, message.tag_key)


def _log_params(store: RunStore, message: _Params) -> None:
    part_of(store, LoggedModels).log_logged_model_params(message.model_id, wire.params(message.params))


def _set_tags(store: RunStore, message: _Tags) -> None:
    part_of(store, LoggedModels).set_logged_model_tags(message.model_id, wire.tags(message.tags))


def _search(store: RunStore, message: _Search) -> _Page:
    page = part_of(store, LoggedModels).search_logged_models(
        message.experiment_ids,
        filter_string=message.filter,
        max_results=message.max_results,
        datasets=[dataset.choice() for dataset in message.datasets],
        order_by=[order.order() for order in message.order_by],
        page_token=message.page_token,
    )
    return _Page([answers.logged_model(model) for model in page.models], page.next_page_token)


def _list_artifacts(store: RunStore, message: _List) -> _Files:
    root = part_of(store, LoggedModels).get_logged_model(message.model_id).artifact_uri
    found = store.artifacts(root).list(safe_path(message.artifact_directory_path))
    return _Files(ArtifactUri(root), answers.files(found))


def _source_run(message: Any) -> Iterable[tuple[Level, Resource]]:
    return runs_at("READ", message.source_run_id)


ROUTES = (
    writing(
        "POST",
        "logged-models",
        _Create,
        _create,
        needs=permissions.EDIT_EXPERIMENT._replace(also=_source_run),
    ),
    reading("POST", "logged-models/search", _Search, _search, needs=permissions.LIST_LOGGED_MODELS),
    reading("GET", "logged-models/{model_id}", _Get, _get, needs=permissions.READ_LOGGED_MODEL),
    writing("PATCH", "logged-models/{model_id}", _Finalize, _finalize, needs=permissions.EDIT_LOGGED_MODEL),
    writing("DELETE", "logged-models/{model_id}", _Delete, _delete, needs=permissions.MANAGE_LOGGED_MODEL),
    writing(
        "DELETE",
        "logged-models/{model_id}/tags/{tag_key}",
        _DeleteTag,
        _delete_tag,
        needs=permissions.MANAGE_LOGGED_MODEL,
    ),
    writing(
        "POST", "logged-models/{model_id}/params", _Params, _log_params, needs=permissions.EDIT_LOGGED_MODEL
    ),
    writing("PATCH", "logged-models/{model_id}/tags", _Tags, _set_tags, needs=permissions.EDIT_LOGGED_MODEL),
    reading(
        "GET",
        "logged-models/{model_id}/artifacts/directories",
        _List,
        _list_artifacts,
        needs=permissions.READ_LOGGED_MODEL,
    ),
)
