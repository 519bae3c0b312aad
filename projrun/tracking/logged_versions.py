"""The tag of a logged model that lists the versions that were made of it, as MLflow's clients and servers write it."""

from __future__ import annotations

import json
from typing import Any

from projrun.tracking import limits
from projrun.tracking.entities import ModelVersion, Tag
from projrun.tracking.logged_models import LoggedModels

VERSIONS_TAG = "mlflow.modelVersions"
"""A JSON list of names and numbers."""


def note_version(models: LoggedModels, version: ModelVersion) -> None:
    """Add a version to the list, once; the oldest go where the tag is full. Raises NotFoundError without the model."""
    tags = {tag.key: tag.value for tag in models.get_logged_model(version.model_id).tags}
    listed = _listed(tags.get(VERSIONS_TAG, ""))
    if any(_is(version, each) for each in listed):
        return
    listed.append({"name": version.name, "version": int(version.version)})
    while len(text := json.dumps(listed)) > limits.TAG_VALUE:
        del listed[0]
    models.set_logged_model_tags(version.model_id, [Tag(VERSIONS_TAG, text)])


def _is(version: ModelVersion, listed: object) -> bool:
    return (
        isinstance(listed, dict)
        and listed.get("name") == version.name
        and str(listed.get("version")) == version.version
    )


def _listed(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # none yet, or a client's own text
        return []
    return found if isinstance(found, list) else []
