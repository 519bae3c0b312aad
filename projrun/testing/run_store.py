"""The conformance kit of tracking stores: subclass it, provide the store, and pytest does the rest.

    class TestMyStore(RunStoreConformance):
        @pytest.fixture
        def store(self, tmp_path: Path) -> Iterator[RunStore]: ...

Every test was tried against MLflow's own servers, 2.22 and 3.17: it covers what both do.
"""

from __future__ import annotations

import pytest

from projrun.testing.artifacts import ArtifactConformance
from projrun.testing.run_store_logging import LoggingConformance
from projrun.testing.run_store_runs import ExperimentConformance, RunConformance
from projrun.testing.run_store_search import SearchConformance
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore


class RunStoreConformance(
    ExperimentConformance, RunConformance, LoggingConformance, SearchConformance, ArtifactConformance
):
    """All of it."""

    @pytest.fixture
    def artifacts(self, store: RunStore, run: Run) -> ArtifactRepository:
        """The files of a run."""
        return store.artifacts(run.artifact_uri)

    def test_uri_holds_no_credentials(self, store: RunStore) -> None:
        assert "@" not in store.uri
