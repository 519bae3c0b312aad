"""The conformance kit of tracking stores: subclass it, provide the store, and pytest does the rest.

    class TestMyStore(TrackingStoreConformance):
        @pytest.fixture
        def store(self, tmp_path: Path) -> Iterator[TrackingStore]: ...
        def delete_experiment(self, store, experiment_id): ...
        def delete_run(self, store, run_id): ...

Every test was tried against MLflow's own servers, 2.22 and 3.17: it covers what both do.
"""

from __future__ import annotations

from projrun.testing.tracking_artifacts import ArtifactConformance
from projrun.testing.tracking_logging import LoggingConformance
from projrun.testing.tracking_runs import ExperimentConformance, RunConformance
from projrun.testing.tracking_search import SearchConformance
from projrun.tracking.store import TrackingStore


class TrackingStoreConformance(
    ExperimentConformance, RunConformance, LoggingConformance, SearchConformance, ArtifactConformance
):
    """All of it."""

    def test_uri_holds_no_credentials(self, store: TrackingStore) -> None:
        assert "@" not in store.uri
