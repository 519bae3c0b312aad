"""What the registry's routes answer, read into entities."""

from __future__ import annotations

from projrun.tracking.entities import (
    ModelAlias,
    ModelVersion,
    ModelVersionPage,
    RegisteredModel,
    RegisteredModelPage,
)
from projrun.tracking.rest import wire
from projrun.tracking.rest.fields import Json, integer, items, name, nested, text, texts


def model_version(value: Json) -> ModelVersion:
    """A version of a registered model."""
    return ModelVersion(
        name=name(value, "name"),
        version=name(value, "version"),
        creation_time=integer(value, "creation_timestamp"),
        last_update_time=integer(value, "last_updated_timestamp"),
        source=text(value, "source", ""),
        run_id=text(value, "run_id", ""),
        status=text(value, "status", "READY"),
        description=text(value, "description", ""),
        model_id=text(value, "model_id", ""),
        run_link=text(value, "run_link", ""),
        current_stage=text(value, "current_stage", "None"),
        tags=items(value, "tags", wire.tag),
        aliases=texts(value, "aliases"),
        user_id=text(value, "user_id", ""),
    )


def registered_model(value: Json) -> RegisteredModel:
    """A name in the model registry."""
    return RegisteredModel(
        name=name(value, "name"),
        creation_time=integer(value, "creation_timestamp"),
        last_update_time=integer(value, "last_updated_timestamp"),
        description=text(value, "description", ""),
        tags=items(value, "tags", wire.tag),
        latest_versions=items(value, "latest_versions", model_version),
        aliases=items(value, "aliases", _model_alias),
    )


def _model_alias(value: Json) -> ModelAlias:
    return ModelAlias(name(value, "alias"), name(value, "version"))


def model_version_answer(value: Json) -> ModelVersion:
    """`model-versions/get` and `registered-models/alias`."""
    return model_version(nested(value, "model_version"))


def registered_model_answer(value: Json) -> RegisteredModel:
    """`registered-models/get`."""
    return registered_model(nested(value, "registered_model"))


def registered_models_answer(value: Json) -> RegisteredModelPage:
    """`registered-models/search`."""
    return RegisteredModelPage(
        items(value, "registered_models", registered_model), text(value, "next_page_token", "")
    )


def model_versions_answer(value: Json) -> ModelVersionPage:
    """`model-versions/search`, and `registered-models/get-latest-versions`, which has one page."""
    return ModelVersionPage(items(value, "model_versions", model_version), text(value, "next_page_token", ""))


def artifact_uri_answer(value: Json) -> str:
    """`model-versions/get-download-uri`."""
    return name(value, "artifact_uri")
