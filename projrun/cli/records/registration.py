"""What `projrun models register` makes a version of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from projrun.cli.records.model_folder import kept_folder
from projrun.cli.records.model_names import parse_model, version_of
from projrun.errors import AlreadyExistsError, NotFoundError, RequestError
from projrun.running.record.lookup import find_run
from projrun.tracking.artifacts.uris import below, local_path, uri_scheme
from projrun.tracking.entities import LoggedModel, ModelVersion, Run, Tag
from projrun.tracking.logged_models import LoggedModels, model_of_run, models_of_run
from projrun.tracking.logged_versions import note_version
from projrun.tracking.parts import find_part, part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore


def register(
    store: RunStore, registry: ModelRegistry, source: str, name: str, description: str, tags: Sequence[Tag]
) -> ModelVersion:
    """A new version of `name`. Raises RequestError for a source that is not there, before anything is created."""
    origin = _origin(store, registry, source)
    with suppress(AlreadyExistsError):
        registry.create_registered_model(name)
    made = registry.create_model_version(
        name,
        source=origin.source,
        run_id=origin.run_id,
        model_id=origin.model_id,
        run_link=origin.run_link,
        description=description or origin.description,
        tags=[*origin.tags, *tags],
    )
    logged = find_part(store, LoggedModels)
    if origin.model_id and logged is not None:
        with suppress(NotFoundError):  # a copy of a version, whose model is in another store
            note_version(logged, made._replace(model_id=origin.model_id))
    return made


def _origin(store: RunStore, registry: ModelRegistry, source: str) -> ModelVersion:
    """What the new version takes over."""
    scheme = uri_scheme(source)
    if scheme == "runs":
        run_id, _, path = source.partition(":")[2].lstrip("/").partition("/")
        return _of_run(store, find_run(store, run_id), path.rstrip("/"))
    if scheme in ("", "file"):
        return _of_folder(store, local_path(source))
    if scheme != "models":
        return _version(source)
    named = parse_model(source)
    if not named.is_version:
        return _of_model(part_of(store, LoggedModels).get_logged_model(named.name))
    found = version_of(registry, named)
    return found._replace(source=f"models:/{found.name}/{found.version}")


def _of_run(store: RunStore, run: Run, path: str) -> ModelVersion:
    """The folder of a run, or the model that it logged under that name: MLflow 3 keeps it elsewhere."""
    model = model_of_run(store, run, path)
    if model is not None:
        return _version(f"models:/{model.model_id}", run_id=run.run_id, model_id=model.model_id)
    if not path or not store.artifacts(run.artifact_uri).list(path):
        names = models_of_run(store, run)
        has = f"its models: {', '.join(names)}" if names else f"see `projrun runs show {run.run_id}`"
        raise RequestError(f"run {run.run_id} has no artifact folder {path!r}", hint=has)
    return _version(below(run.artifact_uri, path), run_id=run.run_id)


def _of_folder(store: RunStore, folder: Path) -> ModelVersion:
    """A folder that a run or a logged model of this store keeps is that; another one is copied into the store."""
    found = kept_folder(store, folder.expanduser().resolve())
    if isinstance(found, LoggedModel):
        return _of_model(found)
    return _of_run(store, *found)


def _of_model(model: LoggedModel) -> ModelVersion:
    return _version(f"models:/{model.model_id}", run_id=model.source_run_id, model_id=model.model_id)


def _version(source: str, *, run_id: str = "", model_id: str = "") -> ModelVersion:
    return ModelVersion("", "", 0, 0, source, run_id, model_id=model_id)
