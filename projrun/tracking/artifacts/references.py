"""`runs:/` and `models:/` URIs: which artifact, and where, asked of the tracking store."""

from __future__ import annotations

from typing import NamedTuple

from projrun.errors import NotFoundError, TrackingError
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.entities import Run
from projrun.tracking.logged_models import LoggedModels, model_of_run
from projrun.tracking.parts import Part, find_part
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore

_MOST_STEPS = 8


class Place(NamedTuple):
    """An artifact: a path under an artifact URI."""

    artifact_uri: str
    path: str


def resolve(uri: str, store: RunStore, steps: int = 0, *, registry: RunStore | None = None) -> Place:
    """Where a `runs:/ID/path` or `models:/...` URI leads; `registry` has the registered models (else `store`).

    MLflow's forms: `models:/NAME/VERSION`, `/latest`, `/STAGE`, `models:/NAME@ALIAS`, `models:/MODEL_ID`; all but
    the last may go on with a path. Raises TrackingError for a malformed one, NotFoundError for what is not there.
    """
    if steps > _MOST_STEPS:
        raise TrackingError(f"{uri} leads from model to model in a loop")
    scheme = uri_scheme(uri)
    if scheme not in ("runs", "models"):
        return Place(uri, "")
    first, *rest = _parts(uri)
    if scheme == "runs":
        return _of_run(_run(first, store), rest, store)
    asked = (registry or store) if is_registered(uri) else store
    source, path = _model_source(uri, first, rest, asked)
    inner = resolve(source, store, steps + 1, registry=registry)
    return Place(inner.artifact_uri, "/".join(part for part in (inner.path, path) if part))


def is_registered(uri: str) -> bool:
    """Whether the registry is asked: MLflow asks the tracking server for runs and logged models (`models:/ID`)."""
    if uri_scheme(uri) != "models":
        return False
    first, *rest = _parts(uri)
    return bool(rest) or "@" in first


def pinned(uri: str, registry: RunStore) -> str:
    """A registered model's address with the number of the version that it leads to now: `models:/NAME/3`."""
    first, *rest = _parts(uri)
    name, version, path = _version(uri, first, rest, _kept(registry, ModelRegistry, uri))
    return "/".join((f"models:/{name}/{version}", *path))


def _run(run_id: str, store: RunStore) -> Run:
    try:
        return store.get_run(run_id)
    except NotFoundError:
        raise NotFoundError(
            f"the tracking store {store.uri} has no run {run_id!r}",
            hint="give the store that has it with --tracking-uri",
        ) from None


def _of_run(run: Run, parts: list[str], store: RunStore) -> Place:
    """What a run logged there: MLflow 3 keeps a model, `runs:/ID/NAME`, elsewhere than the run's artifacts."""
    model = model_of_run(store, run, parts[0]) if parts else None
    if model is None:
        return Place(run.artifact_uri, "/".join(parts))
    return Place(model.artifact_uri, "/".join(parts[1:]))


def _parts(uri: str) -> list[str]:
    body = uri.partition(":")[2]
    parts = [part for part in body.split("/") if part]
    if body.startswith("//") or not parts:
        raise TrackingError(
            f"{uri} is malformed", hint="runs:/RUN_ID/PATH, models:/NAME/VERSION, models:/NAME@ALIAS"
        )
    return parts


def _model_source(uri: str, first: str, rest: list[str], store: RunStore) -> tuple[str, str]:
    """The URI of a model's files, and the path in it."""
    if not rest and "@" not in first:
        return _kept(store, LoggedModels, uri).get_logged_model(first).artifact_uri, ""
    registry = _kept(store, ModelRegistry, uri)
    name, version, path = _version(uri, first, rest, registry)
    return registry.get_model_version_download_uri(name, version), "/".join(path)


def _version(uri: str, first: str, rest: list[str], registry: ModelRegistry) -> tuple[str, str, list[str]]:
    """The name and number of a registered version, and the path in it."""
    name, at, alias = first.partition("@")
    if at:
        return name, registry.get_model_version_by_alias(name, alias).version, rest
    return name, rest[0] if rest[0].isdigit() else _newest(uri, first, rest[0], registry), rest[1:]


def _kept(store: RunStore, contract: type[Part], uri: str) -> Part:
    part = find_part(store, contract)
    if part is None:
        raise TrackingError(f"{uri} cannot be resolved: the tracking store {store.uri} has no models")
    return part


def _newest(uri: str, name: str, stage: str, registry: ModelRegistry) -> str:
    numbers = [
        int(version.version)
        for version in registry.get_registered_model(name).latest_versions
        if version.version.isdigit() and stage.lower() in ("latest", version.current_stage.lower())
    ]
    if not numbers:
        raise NotFoundError(f"{uri} has no version: the model {name!r} has none in {stage!r}")
    return str(max(numbers))
