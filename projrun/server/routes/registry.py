"""Registered models, their tags and aliases; versions are in `model_versions`."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from projrun.errors import InvalidValueError
from projrun.server import answers, permissions, wire
from projrun.server.api import reading, writing
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry, NoAliasError
from projrun.tracking.runs import RunStore


class _Create(wire.Message):
    REFUSED: ClassVar[tuple[str, ...]] = ("deployment_job_id",)
    name: str
    description: str = ""
    tags: tuple[wire.Pair, ...] = ()


class _Named(wire.Message):
    name: str


class _Update(wire.Message):
    REFUSED: ClassVar[tuple[str, ...]] = ("deployment_job_id",)
    name: str
    description: str = ""


class _Rename(wire.Message):
    name: str
    new_name: str


class _Search(wire.Message):
    filter: str = ""
    max_results: wire.Int64 = 100
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class _GetLatest(wire.Message):
    name: str
    stages: tuple[str, ...] = ()


class _Tag(wire.Message):
    name: str
    key: str
    value: str = ""


class _TagKey(wire.Message):
    name: str
    key: str


class _SetAlias(wire.Message):
    name: str
    alias: str
    version: str


class _Alias(wire.Message):
    name: str
    alias: str


class _Found(msgspec.Struct):
    registered_model: answers.RegisteredModelAnswer


class _Page(msgspec.Struct, omit_defaults=True):
    registered_models: list[answers.RegisteredModelAnswer] = []
    next_page_token: str = ""


class _Latest(msgspec.Struct, omit_defaults=True):
    model_versions: list[answers.ModelVersionAnswer] = []


class _FoundVersion(msgspec.Struct):
    model_version: answers.ModelVersionAnswer


def _create(store: RunStore, message: _Create) -> _Found:
    model = part_of(store, ModelRegistry).create_registered_model(
        message.name, description=message.description, tags=wire.tags(message.tags)
    )
    return _Found(answers.registered_model(model))


def _get(store: RunStore, message: _Named) -> _Found:
    return _Found(answers.registered_model(part_of(store, ModelRegistry).get_registered_model(message.name)))


def _update(store: RunStore, message: _Update) -> _Found:
    registry = part_of(store, ModelRegistry)
    model = registry.update_registered_model(message.name, description=message.description)
    return _Found(answers.registered_model(model))


def _rename(store: RunStore, message: _Rename) -> _Found:
    registry = part_of(store, ModelRegistry)
    return _Found(answers.registered_model(registry.rename_registered_model(message.name, message.new_name)))


def _delete(store: RunStore, message: _Named) -> None:
    part_of(store, ModelRegistry).delete_registered_model(message.name)


def _search(store: RunStore, message: _Search) -> _Page:
    page = part_of(store, ModelRegistry).search_registered_models(
        filter_string=message.filter,
        max_results=message.max_results,
        order_by=message.order_by,
        page_token=message.page_token,
    )
    return _Page([answers.registered_model(model) for model in page.models], page.next_page_token)


def _get_latest(store: RunStore, message: _GetLatest) -> _Latest:
    found = part_of(store, ModelRegistry).get_latest_versions(message.name, message.stages)
    return _Latest([answers.model_version(version) for version in found])


def _set_tag(store: RunStore, message: _Tag) -> None:
    tag = wire.Pair(message.key, message.value).tag()
    part_of(store, ModelRegistry).set_registered_model_tag(message.name, tag)


def _delete_tag(store: RunStore, message: _TagKey) -> None:
    part_of(store, ModelRegistry).delete_registered_model_tag(message.name, message.key)


def _set_alias(store: RunStore, message: _SetAlias) -> None:
    registry = part_of(store, ModelRegistry)
    registry.set_registered_model_alias(message.name, message.alias, message.version)


def _delete_alias(store: RunStore, message: _Alias) -> None:
    part_of(store, ModelRegistry).delete_registered_model_alias(message.name, message.alias)


def _get_by_alias(store: RunStore, message: _Alias) -> _FoundVersion:
    try:
        version = part_of(store, ModelRegistry).get_model_version_by_alias(message.name, message.alias)
    except NoAliasError as error:  # MLflow's answer
        raise InvalidValueError(error.message) from None
    return _FoundVersion(answers.model_version(version))


ROUTES = (
    writing("POST", "registered-models/create", _Create, _create, needs=permissions.CREATE_MODEL),
    reading("GET", "registered-models/get", _Named, _get, needs=permissions.READ_MODEL),
    writing("PATCH", "registered-models/update", _Update, _update, needs=permissions.EDIT_MODEL),
    writing("POST", "registered-models/rename", _Rename, _rename, needs=permissions.RENAME_MODEL),
    writing("DELETE", "registered-models/delete", _Named, _delete, needs=permissions.DELETE_MODEL),
    reading("GET", "registered-models/search", _Search, _search, needs=permissions.LIST_MODELS),
    *(
        reading(
            method,
            "registered-models/get-latest-versions",
            _GetLatest,
            _get_latest,
            needs=permissions.READ_MODEL,
        )
        for method in ("GET", "POST")
    ),
    writing("POST", "registered-models/set-tag", _Tag, _set_tag, needs=permissions.EDIT_MODEL),
    writing("DELETE", "registered-models/delete-tag", _TagKey, _delete_tag, needs=permissions.EDIT_MODEL),
    writing("POST", "registered-models/alias", _SetAlias, _set_alias, needs=permissions.EDIT_MODEL),
    writing("DELETE", "registered-models/alias", _Alias, _delete_alias, needs=permissions.MANAGE_MODEL),
    reading("GET", "registered-models/alias", _Alias, _get_by_alias, needs=permissions.READ_MODEL),
)
