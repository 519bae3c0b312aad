"""The conformance kit against the embedded store, by itself and through the loopback endpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.server.endpoint import Endpoint
from projrun.testing.models import LoggedModelsConformance, ModelStore
from projrun.testing.registry import ModelRegistryConformance
from projrun.testing.run_store import RunStoreConformance
from projrun.tracking.rest.store import RestStore
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a new store, which all the tests fill."""
    database = tmp_path_factory.mktemp("home") / "projrun.db"
    SqlStore.open(database).close()
    return database


@pytest.fixture(scope="module")
def endpoint(database: Path) -> Iterator[Endpoint]:
    """The store as a script's client sees it during a run."""
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        yield endpoint


class EmbeddedConformance(RunStoreConformance, LoggedModelsConformance):
    """Deletes behind the store's back: the protocol has no way to do it yet."""

    @pytest.fixture(autouse=True)
    def _remember(self, database: Path) -> None:
        self.file = database

    @pytest.fixture
    def models(self, store: ModelStore) -> ModelStore:
        return store

    def delete_experiment(self, store: RunStore, experiment_id: str) -> None:
        self._delete(
            "UPDATE experiments SET lifecycle_stage = 'deleted' WHERE experiment_id = ?", experiment_id
        )

    def delete_run(self, store: RunStore, run_id: str) -> None:
        self._delete("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_id = ?", run_id)

    def _delete(self, statement: str, identifier: str) -> None:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            assert connection.execute(statement, [identifier]).rowcount == 1


class TestSqlStore(EmbeddedConformance, ModelRegistryConformance):
    """The embedded store."""

    @pytest.fixture
    def store(self, database: Path) -> Iterator[ModelStore]:
        with closing(SqlStore.open(database)) as store:
            yield store


class TestEndpoint(EmbeddedConformance):
    """RestStore and the endpoint, end to end."""

    @pytest.fixture
    def store(self, endpoint: Endpoint) -> Iterator[ModelStore]:
        with closing(RestStore(endpoint.uri, {})) as store:
            yield store

    def test_secret_of_the_endpoint_is_not_shown(self, store: RunStore, endpoint: Endpoint) -> None:
        assert endpoint.secret not in store.uri
