"""What the parts of the tracking stores' conformance kit share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from projrun.tracking.entities import Run
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore

NO_EXPERIMENT = "987654321"
NO_RUN = "0123456789abcdef0123456789abcdef"
AWKWARD = "é ü 日本 'single' \"double\" $(x) `y` \\ {z}\nsecond line\ttab 🚀"


def unique(prefix: str) -> str:
    """A name that no earlier test used: a real server keeps old data."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class ConformanceBase:
    """What the parts of the kit share: the store, an experiment and a run in it."""

    @pytest.fixture
    def store(self) -> Iterator[RunStore]:
        """The store under test, open; a subclass provides it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `store`")

    def delete_experiment(self, store: RunStore, experiment_id: str) -> None:
        """Mark an experiment as deleted; a store without a `LifeCycle` overrides it."""
        part_of(store, LifeCycle).delete_experiment(experiment_id)

    def delete_run(self, store: RunStore, run_id: str) -> None:
        """Mark a run as deleted; a store without a `LifeCycle` overrides it."""
        part_of(store, LifeCycle).delete_run(run_id)

    @pytest.fixture
    def experiment_id(self, store: RunStore) -> str:
        """An experiment of this test alone."""
        return store.create_experiment(unique("experiment"))

    @pytest.fixture
    def run(self, store: RunStore, experiment_id: str) -> Run:
        """A run of this test alone."""
        return store.create_run(experiment_id, run_name="first", user_id="someone", start_time=1_000)
