"""What the kits of model registries share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from projrun.testing.run_store_base import unique
from projrun.tracking.entities import Run
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore

ABSENT = "absent-5b1f"
"""No model has this name."""


class RegistryKit:
    """What the kits of registries share."""

    @pytest.fixture
    def store(self) -> Iterator[RunStore]:
        """The store under test, open; a subclass provides it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `store`")

    @pytest.fixture
    def registry(self, store: RunStore) -> ModelRegistry:
        """The registry under test."""
        return part_of(store, ModelRegistry)

    @pytest.fixture
    def name(self, registry: ModelRegistry) -> str:
        """A registered model of this test alone, without versions."""
        return registry.create_registered_model(unique("model")).name

    @pytest.fixture
    def model_run(self, store: RunStore) -> Run:
        """A run of this test alone."""
        return store.create_run(store.create_experiment(unique("models")), start_time=1_000)


def add_versions(registry: ModelRegistry, name: str, count: int = 1) -> list[str]:
    """The numbers of new versions, whose files are in no store of ours."""
    return [
        registry.create_model_version(name, source=f"s3://bucket/{name}/{index}").version
        for index in range(count)
    ]
