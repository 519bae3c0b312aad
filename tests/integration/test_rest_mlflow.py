"""RestStore against real MLflow servers, of both lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from projrun.testing.tracking_store import TrackingStoreConformance
from projrun.tracking.rest.store import API, RestStore
from projrun.tracking.rest.wire import nothing
from projrun.tracking.store import TrackingStore

pytestmark = pytest.mark.integration


class RestConformance(TrackingStoreConformance):
    """Deletes over the server's own routes."""

    def delete_experiment(self, store: TrackingStore, experiment_id: str) -> None:
        assert isinstance(store, RestStore)
        store.transport.post(f"{API}experiments/delete", {"experiment_id": experiment_id}, nothing)

    def delete_run(self, store: TrackingStore, run_id: str) -> None:
        assert isinstance(store, RestStore)
        store.transport.post(f"{API}runs/delete", {"run_id": run_id}, nothing)


def _open(uri: str) -> Iterator[RestStore]:
    store = RestStore(uri, {})
    yield store
    store.close()


class TestMlflow3(RestConformance):
    """The 3.x line."""

    @pytest.fixture
    def store(self, mlflow3_server: str) -> Iterator[TrackingStore]:
        yield from _open(mlflow3_server)


class TestMlflow2(RestConformance):
    """The 2.x line."""

    @pytest.fixture
    def store(self, mlflow2_server: str) -> Iterator[TrackingStore]:
        yield from _open(mlflow2_server)
