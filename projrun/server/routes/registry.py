"""The model registry: what registering a model and loading it by name need."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from projrun.server import answers, permissions, wire
from projrun.server.api import reading, writing
from projrun.server.places import ArtifactUri
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore


class _Create(wire.Message):
    REFUSED: ClassVar[tuple[str, ...]] = ("deployment_job_id",)
    name: str
    description: str = ""
    tags: tuple[wire.Pair, ...] = ()


class _Get(wire.Message):
    name: str


class _GetLatest(_Get):
    REFUSED: ClassVar[tuple[str, ...]] = ("stages",)


class _Found(msgspec.Struct):
    registered_model: answers.RegisteredModelAnswer


class _Latest(msgspec.Struct, omit_defaults=True):
    model_versions: list[answers.ModelVersionAnswer] = []


class _CreateVersion(wire.Message):
    name: str
    source: ArtifactUri = msgspec.field(default_factory=ArtifactUri)
    run_id: str = ""
    run_link: str = ""
    description: str = ""
    model_id: str = ""
    tags: tuple[wire.Pair, ...] = ()


class _GetVersion(wire.Message):
    name: str
    version: str


class _FoundVersion(msgspec.Struct):
    model_version: answers.ModelVersionAnswer


class _DownloadUri(msgspec.Struct):
    artifact_uri: ArtifactUri


def _create(store: RunStore, message: _Create) -> _Found:
    model = part_of(store, ModelRegistry).create_registered_model(
        message.name, description=message.description, tags=wire.tags(message.tags)
    )
    return _Found(answers.registered_model(model))


def _get(store: RunStore, message: _Get) -> _Found:
    return _Found(answers.registered_model(part_of(store, ModelRegistry).get_registered_model(message.name)))


def _get_latest(store: RunStore, message: _GetLatest) -> _Latest:
    model = part_of(store, ModelRegistry).get_registered_model(message.name)
    return _Latest([answers.model_version(version) for version in model.latest_versions])


def _create_version(store: RunStore, message: _CreateVersion) -> _FoundVersion:
    version = part_of(store, ModelRegistry).create_model_version(
        message.name,
        source=message.source.text,
        run_id=message.run_id,
        description=message.description,
        model_id=message.model_id,
        run_link=message.run_link,
        tags=wire.tags(message.tags),
    )
    return _FoundVersion(answers.model_version(version))


def _get_version(store: RunStore, message: _GetVersion) -> _FoundVersion:
    return _FoundVersion(
        answers.model_version(part_of(store, ModelRegistry).get_model_version(message.name, message.version))
    )


def _get_download_uri(store: RunStore, message: _GetVersion) -> _DownloadUri:
    found = part_of(store, ModelRegistry).get_model_version_download_uri(message.name, message.version)
    return _DownloadUri(ArtifactUri(found))


ROUTES = (
    writing("POST", "registered-models/create", _Create, _create, needs=permissions.CREATE_MODEL),
    reading("GET", "registered-models/get", _Get, _get, needs=permissions.READ_MODEL),
    reading(
        "POST", "registered-models/get-latest-versions", _GetLatest, _get_latest, needs=permissions.READ_MODEL
    ),
    writing("POST", "model-versions/create", _CreateVersion, _create_version, needs=permissions.EDIT_MODEL),
    reading("GET", "model-versions/get", _GetVersion, _get_version, needs=permissions.READ_MODEL),
    reading(
        "GET", "model-versions/get-download-uri", _GetVersion, _get_download_uri, needs=permissions.READ_MODEL
    ),
)
