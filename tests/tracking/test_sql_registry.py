"""The registry in SQL: what the kit cannot see, races, and stores of before."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import InvalidValueError, NotFoundError
from projrun.testing.registry import RegistryRaces
from projrun.tracking.entities import ModelVersion, RegisteredModel, Run, Tag
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_open import opened_registry
from projrun.tracking.sql.migrations import MIGRATIONS, migrate
from projrun.tracking.sql.sqlite import APPLICATION_ID, SqliteConnection
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


@pytest.fixture
def registry(store: SqlStore) -> ModelRegistry:
    return part_of(store, ModelRegistry)


@pytest.fixture
def run(store: SqlStore) -> Run:
    return store.create_run("0", start_time=5)


class TestRaces(RegistryRaces):
    """Twenty threads, each with a connection of its own."""

    @pytest.fixture
    def open_registry(self, tmp_path: Path) -> Iterator[Callable[[], ModelRegistry]]:
        opened: list[SqlStore] = []
        mine = threading.local()

        def open_registry() -> ModelRegistry:
            if not hasattr(mine, "store"):
                mine.store = SqlStore.open(tmp_path / "projrun.db")
                opened.append(mine.store)
            return part_of(mine.store, ModelRegistry)

        open_registry()
        yield open_registry
        for store in opened:
            store.close()


def test_version_of_a_logged_model(store: SqlStore, registry: ModelRegistry, run: Run) -> None:
    model = part_of(store, LoggedModels).create_logged_model("0", source_run_id=run.run_id)
    registry.create_registered_model("wine")
    source = f"models:/{model.model_id}"
    made = registry.create_model_version("wine", source=source, model_id=model.model_id)
    assert (made.run_id, made.model_id, made.source) == (run.run_id, model.model_id, source)
    assert registry.get_model_version_download_uri("wine", "1") == model.artifact_uri
    for absent in ("models:/m-none", "models:/wine/9", "models:/none/1"):
        with pytest.raises(NotFoundError):
            registry.create_model_version("wine", source=absent)
    with pytest.raises(NotFoundError):
        registry.create_model_version("wine", source="x", model_id="m-none")
    with pytest.raises(InvalidValueError, match="'source'"):
        registry.create_model_version("wine", source="")
    assert [version.version for version in registry.get_latest_versions("wine")] == ["1"]


def test_rename_is_one_row_of_each_model(store: SqlStore, registry: ModelRegistry) -> None:
    registry.create_registered_model("wine")
    for _ in range(3):
        registry.create_model_version("wine", source="s3://b/m", tags=[Tag("k", "v")])
    registry.rename_registered_model("wine", "water")
    with closing(sqlite3.connect(store.uri.removeprefix("sqlite:///"))) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        named = [
            table
            for (table,) in tables
            if "name" in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            and connection.execute(f"SELECT 1 FROM {table} WHERE name = 'water'").fetchall()
        ]
    assert named == ["registry_models"]


BEFORE = """
INSERT INTO logged_models VALUES
    ('m-1', 0, 'forest', 'mlflow-artifacts:/0/models/m-1/artifacts', 1, 2, 'READY', '', 'r');
INSERT INTO registered_models VALUES ('wine', 'of grapes', 3, 4), ('empty', '', 5, 6);
INSERT INTO registered_model_tags VALUES ('wine', 'team', 'red');
INSERT INTO model_versions VALUES
    ('wine', 1, 7, 8, 's3://b/m', 'r', 'READY', 'first', '', 'http://run', 'None'),
    ('wine', 3, 9, 10, 'models:/m-1', 'r', 'READY', '', 'm-1', '', 'None');
INSERT INTO model_version_tags VALUES ('wine', 3, 'k', 'v');
"""


def test_store_of_before_is_upgraded_with_its_models(tmp_path: Path) -> None:
    database = tmp_path / "projrun.db"
    with closing(sqlite3.connect(database, factory=SqliteConnection)) as connection, connection:
        migrate(connection, MIGRATIONS[:1])
        connection.executescript(BEFORE)
        connection.execute("PRAGMA user_version = 1")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    with closing(SqlStore.open(database)) as store:
        registry = part_of(store, ModelRegistry)
        newest = ModelVersion("wine", "3", 9, 10, "models:/m-1", "r", model_id="m-1", tags=(Tag("k", "v"),))
        assert registry.get_registered_model("wine") == RegisteredModel(
            "wine", 3, 4, "of grapes", (Tag("team", "red"),), (newest,)
        )
        assert registry.get_registered_model("empty") == RegisteredModel("empty", 5, 6)
        first = registry.get_model_version("wine", "1")
        assert (first.source, first.description, first.run_link) == ("s3://b/m", "first", "http://run")
        places = [registry.get_model_version_download_uri("wine", version) for version in ("1", "3")]
        assert places == ["s3://b/m", "mlflow-artifacts:/0/models/m-1/artifacts"]
        assert registry.create_model_version("wine", source="s3://b/new").version == "4"
    with closing(SqlStore.open(database)) as store:
        assert part_of(store, ModelRegistry).get_model_version("wine", "4").source == "s3://b/new"


def test_registry_beside_the_store_of_the_logged_models(store: SqlStore, run: Run, tmp_path: Path) -> None:
    model = part_of(store, LoggedModels).create_logged_model("0", source_run_id=run.run_id)
    environ = {"MLFLOW_REGISTRY_URI": f"sqlite:///{tmp_path / 'registry.db'}"}
    with opened_registry(store, environ) as beside:
        beside.create_registered_model("wine")
        made = beside.create_model_version("wine", source=f"models:/{model.model_id}")
        assert made.run_id == run.run_id
        assert beside.get_model_version_download_uri("wine", "1") == model.artifact_uri
    with opened_registry(store, {}) as own, pytest.raises(NotFoundError):
        own.get_registered_model("wine")
