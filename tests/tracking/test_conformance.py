"""The conformance kit against the embedded store, by itself and through the loopback endpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.testing.tracking_store import TrackingStoreConformance
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.store import TrackingStore


class EmbeddedConformance(TrackingStoreConformance):
    """Deletes behind the store's back: the protocol has no way to do it yet."""

    @pytest.fixture
    def database(self, tmp_path: Path) -> Path:
        return tmp_path / "home" / "projrun.db"

    @pytest.fixture(autouse=True)
    def _remember(self, database: Path) -> None:
        self.file = database

    def delete_experiment(self, store: TrackingStore, experiment_id: str) -> None:
        self._delete(
            "UPDATE experiments SET lifecycle_stage = 'deleted' WHERE experiment_id = ?", experiment_id
        )

    def delete_run(self, store: TrackingStore, run_id: str) -> None:
        self._delete("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_id = ?", run_id)

    def _delete(self, statement: str, identifier: str) -> None:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            assert connection.execute(statement, [identifier]).rowcount == 1


class TestSqlStore(EmbeddedConformance):
    """The embedded store."""

    @pytest.fixture
    def store(self, database: Path) -> Iterator[TrackingStore]:
        database.parent.mkdir()
        store = SqlStore.open(database)
        yield store
        store.close()
