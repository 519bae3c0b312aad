"""The registry of registered models: that of the tracking store, or another one that MLflow's variable names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.open import open_store
from projrun.tracking.parts import find_part, part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore
from projrun.tracking.uri import parse_tracking_uri

REGISTRY_URI = "MLFLOW_REGISTRY_URI"


def open_registry(uri: str, environ: Mapping[str, str]) -> RunStore:
    """The store that keeps registered models: `part_of(store, ModelRegistry)`. Close it."""
    return open_store(parse_tracking_uri(uri), environ, warn=lambda text: None)


def registry_beside(other: RunStore, store: RunStore) -> ModelRegistry:
    """The registry of another store, for versions of the logged models of `store`."""
    from projrun.tracking.sql.registry.store import SqlRegistry

    registry = part_of(other, ModelRegistry)
    models = find_part(store, LoggedModels)
    if isinstance(registry, SqlRegistry) and models is not None:
        registry.find_model = models.get_logged_model
    return registry


@contextmanager
def opened_registry(store: RunStore, environ: Mapping[str, str]) -> Iterator[ModelRegistry]:
    """The registry for the runs and logged models of `store`."""
    uri = environ.get(REGISTRY_URI)
    if not uri:
        yield part_of(store, ModelRegistry)
        return
    other = open_registry(uri, environ)
    try:
        yield registry_beside(other, store)
    finally:
        other.close()
