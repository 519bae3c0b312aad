"""What else than runs a store keeps: asked of it when a route needs it, so that any `RunStore` can be served."""

from __future__ import annotations

from projrun.errors import TrackingError
from projrun.tracking.models import LoggedModels, ModelRegistry
from projrun.tracking.runs import RunStore


class NotKeptError(TrackingError):
    """The store does not keep what a route is about."""


def models_of(store: RunStore) -> LoggedModels:
    """The store's logged models. Raises NotKeptError."""
    if not isinstance(store, LoggedModels):
        raise NotKeptError(f"the store {store.uri} keeps no logged models")
    return store


def registry_of(store: RunStore) -> ModelRegistry:
    """The store's registered models. Raises NotKeptError."""
    if not isinstance(store, ModelRegistry):
        raise NotKeptError(f"the store {store.uri} keeps no registered models")
    return store
