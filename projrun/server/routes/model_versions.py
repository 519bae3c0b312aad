"""Versions of registered models."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from projrun.server import answers, permissions, wire
from projrun.server.api import AsCaller, Caller, reading, writing
from projrun.server.permissions import Level, Resource, models_at, runs_at
from projrun.server.places import ArtifactUri
from projrun.server.sources import Origin, check_origin, source_model
from projrun.tracking.entities import Tag
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.logged_versions import note_version
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore


class _Create(wire.Message):
    name: str
    source: ArtifactUri = msgspec.field(default_factory=ArtifactUri)
    run_id: str = ""
    run_link: str = ""
    description: str = ""
    model_id: str = ""
    tags: tuple[wire.Pair, ...] = ()


class _Version(wire.Message):
    name: str
    version: str


class _Update(wire.Message):
    name: str
    version: str
    description: str = ""


class _Transition(wire.Message):
    name: str
    version: str
    stage: str
    archive_existing_versions: bool = False


class _Search(wire.Message):
    filter: str = ""
    max_results: wire.Int64 = 10_000
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class _Tag(wire.Message):
    name: str
    version: str
    key: str
    value: str = ""


class _TagKey(wire.Message):
    name: str
    version: str
    key: str


class _Found(msgspec.Struct):
    model_version: answers.ModelVersionAnswer


class _Page(msgspec.Struct, omit_defaults=True):
    model_versions: list[answers.ModelVersionAnswer] = []
    next_page_token: str = ""


class _DownloadUri(msgspec.Struct):
    artifact_uri: ArtifactUri


def _create(store: RunStore, message: _Create, caller: Caller) -> _Found:
    if not message.source.text:
        raise wire.missing("source")
    tags = wire.tags(message.tags)
    origin = check_origin(store, Origin(message.source.text, message.run_id, message.model_id), tags)
    version = part_of(store, ModelRegistry).create_model_version(
        message.name,
        source=origin.source,
        run_id=origin.run_id,
        description=message.description,
        model_id=origin.model_id,
        run_link=message.run_link,
        tags=tags,
        user_id=caller.user,
    )
    if version.model_id:
        note_version(part_of(store, LoggedModels), version)
    return _Found(answers.model_version(version))


def _get(store: RunStore, message: _Version) -> _Found:
    found = part_of(store, ModelRegistry).get_model_version(message.name, message.version)
    return _Found(answers.model_version(found))


def _get_download_uri(store: RunStore, message: _Version) -> _DownloadUri:
    found = part_of(store, ModelRegistry).get_model_version_download_uri(message.name, message.version)
    return _DownloadUri(ArtifactUri(found))


def _update(store: RunStore, message: _Update) -> _Found:
    found = part_of(store, ModelRegistry).update_model_version(
        message.name, message.version, description=message.description
    )
    return _Found(answers.model_version(found))


def _delete(store: RunStore, message: _Version) -> None:
    part_of(store, ModelRegistry).delete_model_version(message.name, message.version)


def _transition(store: RunStore, message: _Transition) -> _Found:
    found = part_of(store, ModelRegistry).transition_model_version_stage(
        message.name,
        message.version,
        message.stage,
        archive_existing=message.archive_existing_versions,
    )
    return _Found(answers.model_version(found))


def _search(store: RunStore, message: _Search) -> _Page:
    page = part_of(store, ModelRegistry).search_model_versions(
        filter_string=message.filter,
        max_results=message.max_results,
        order_by=message.order_by,
        page_token=message.page_token,
    )
    return _Page([answers.model_version(version) for version in page.versions], page.next_page_token)


def _set_tag(store: RunStore, message: _Tag) -> None:
    tag = Tag(message.key, message.value)
    part_of(store, ModelRegistry).set_model_version_tag(message.name, message.version, tag)


def _delete_tag(store: RunStore, message: _TagKey) -> None:
    registry = part_of(store, ModelRegistry)
    registry.delete_model_version_tag(message.name, message.version, message.key)


def _origins(message: _Create) -> Iterable[tuple[Level, Resource]]:
    """Who reads a version reads its files, which must be its author's to read."""
    copied = source_model(message.source.text)
    return [
        *runs_at("READ", message.run_id),
        *models_at("READ", [message.model_id]),
        ("READ", Resource("place", message.source.text)),
        *([("READ", Resource("registered_model", copied))] if copied else ()),
    ]


ROUTES = (
    writing(
        "POST",
        "model-versions/create",
        _Create,
        AsCaller(_create),
        needs=permissions.EDIT_MODEL._replace(also=_origins),
    ),
    reading("GET", "model-versions/get", _Version, _get, needs=permissions.READ_MODEL),
    reading(
        "GET", "model-versions/get-download-uri", _Version, _get_download_uri, needs=permissions.READ_MODEL
    ),
    writing("PATCH", "model-versions/update", _Update, _update, needs=permissions.EDIT_MODEL),
    writing("DELETE", "model-versions/delete", _Version, _delete, needs=permissions.MANAGE_MODEL),
    writing(
        "POST", "model-versions/transition-stage", _Transition, _transition, needs=permissions.EDIT_MODEL
    ),
    reading("GET", "model-versions/search", _Search, _search, needs=permissions.LIST_MODEL_VERSIONS),
    writing("POST", "model-versions/set-tag", _Tag, _set_tag, needs=permissions.EDIT_MODEL),
    writing("DELETE", "model-versions/delete-tag", _TagKey, _delete_tag, needs=permissions.MANAGE_MODEL),
)
