"""A store whose registered models are in another one (`--registry-store-uri`)."""

from __future__ import annotations

from typing import TypeVar, cast

from projrun.tracking.parts import find_part
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_open import registry_beside
from projrun.tracking.runs import RunStore

Part = TypeVar("Part")


class _TwoStores:
    """Whatever it is asked for, the first store does; but for the part that the second one keeps."""

    def __init__(self, store: RunStore, registry: RunStore) -> None:
        self._store = store
        self._registry = registry

    def part(self, contract: type[Part]) -> Part | None:
        """As `find_part`."""
        if contract is ModelRegistry:
            return cast("Part", registry_beside(self._registry, self._store))
        return find_part(self._store, contract)

    def close(self) -> None:
        """Close both."""
        self._registry.close()
        self._store.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def with_registry(store: RunStore, registry: RunStore) -> RunStore:
    """The store, with the models of `registry`."""
    return cast("RunStore", _TwoStores(store, registry))
