"""The conformance kit against the embedded store, by itself and through the loopback endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.server.endpoint import Endpoint
from projrun.testing.artifacts import ArtifactConformance
from projrun.testing.curves import CurvesConformance
from projrun.testing.histories import HistoriesConformance
from projrun.testing.life_cycle import ExperimentTagConformance, LifeCycleConformance
from projrun.testing.logged_models import (
    InputsConformance,
    LoggedModelsConformance,
    LoggedModelSearchConformance,
)
from projrun.testing.purge import PurgeConformance
from projrun.testing.registry import ModelRegistryConformance
from projrun.testing.run_store import RunStoreConformance
from projrun.testing.run_store_logging import LoggingConformance
from projrun.testing.run_store_runs import ExperimentConformance, RunConformance
from projrun.testing.run_store_search import SearchConformance
from projrun.testing.tables import TablesConformance
from projrun.testing.traces import TraceEdgesConformance
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import Run
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


class OtherConformance(
    HistoriesConformance,
    SearchConformance,
    LifeCycleConformance,
    ExperimentTagConformance,
    LoggedModelsConformance,
    LoggedModelSearchConformance,
    InputsConformance,
    ModelRegistryConformance,
    TraceEdgesConformance,
):
    """What a store can do besides what a script needs that logs."""


class TestSqlStore(
    RunStoreConformance, OtherConformance, PurgeConformance, TablesConformance, CurvesConformance
):
    """The embedded store."""

    @pytest.fixture
    def store(self, database: Path) -> Iterator[RunStore]:
        with closing(SqlStore.open(database)) as store:
            yield store


class Served:
    """RestStore and the endpoint, end to end."""

    @pytest.fixture
    def store(self, endpoint: Endpoint) -> Iterator[RunStore]:
        with closing(RestStore(endpoint.uri, {})) as store:
            yield store


class TestEndpoint(Served, ExperimentConformance, RunConformance, LoggingConformance, ArtifactConformance):
    """What a script needs that logs."""

    @pytest.fixture
    def artifacts(self, store: RunStore, run: Run) -> ArtifactRepository:
        return store.artifacts(run.artifact_uri)

    def test_secret_of_the_endpoint_is_not_shown(self, store: RunStore, endpoint: Endpoint) -> None:
        assert endpoint.secret not in store.uri


@pytest.mark.integration
class TestEndpointForOthers(Served, OtherConformance):
    """The rest: a thousand requests."""
