"""The merge of a run-scoped store into real MLflow servers, cut off at every kind of request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.journal.journal import Journal
from projrun.journal.merge import merge
from projrun.testing.run_store_base import unique
from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.origin import ORIGIN, ORIGIN_MODEL
from projrun.tracking.parts import part_of
from projrun.tracking.rest.store import RestStore
from projrun.tracking.sql.names import generate_id
from tests.journal.proxy import Proxy, proxy_to

STEPS = 1300
NO_RETRIES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


class Offline:
    """A run-scoped store with a run, one nested in it, and a model."""

    def __init__(self, folder: Path, *, models: bool) -> None:
        self.folder = folder
        self.name = unique("offline")
        self.outer, self.inner = generate_id(), generate_id()
        self.models = models
        with Journal(folder) as journal:
            self._fill(journal)

    def _fill(self, journal: Journal) -> None:
        store = journal.store
        experiment = store.create_experiment(self.name)
        outer = store.create_run(experiment, run_name="outer", start_time=1000, origin_id=self.outer)
        store.create_run(experiment, run_name="inner", start_time=2000, origin_id=self.inner)
        store.log_batch(
            self.outer, params=[Param("alpha", "0.5")], tags=[Tag("stage", "first"), Tag("gone", "x")]
        )
        metrics = [Metric("loss", 1 / (step + 1), 5000 + step, step) for step in range(STEPS)]
        store.log_batch(self.outer, metrics=[*metrics, Metric("odd", float("nan"), 1, 0)])
        store.log_batch(self.outer, metrics=[Metric("odd", float("inf"), 2, 1)], tags=[Tag("stage", "last")])
        store.delete_tag(self.outer, "gone")
        store.log_batch(self.inner, tags=[Tag("mlflow.parentRunId", self.outer)])
        if self.models:
            models = part_of(store, LoggedModels)
            model = models.create_logged_model(experiment, name="forest", source_run_id=self.outer)
            store.log_batch(self.outer, metrics=[Metric("score", 0.5, 1, 1, model_id=model.model_id)])
            self._upload(journal, model.artifact_uri, "MLmodel", 30)
            models.finalize_logged_model(model.model_id, "LOGGED_MODEL_READY")
        self._upload(journal, outer.artifact_uri, "logs/output.log", 3000)
        self._upload(journal, outer.artifact_uri, "data/large.bin", 3_000_000)
        store.update_run(self.outer, status="FINISHED", end_time=9000)

    def _upload(self, journal: Journal, artifact_uri: str, path: str, size: int) -> None:
        file = self.folder / "made"
        file.write_bytes(bytes(size))
        journal.store.artifacts(artifact_uri).upload(file, path)

    def check(self, store: RestStore) -> None:
        """Everything is in the server, once."""
        experiment = store.get_experiment_by_name(self.name)
        assert experiment is not None
        runs = store.search_runs([experiment.experiment_id]).runs
        assert Counter(run.run_name for run in runs) == {"outer": 1, "inner": 1}
        outer, inner = (
            next(store.get_run(run.run_id) for run in runs if run.run_name == name)
            for name in ("outer", "inner")
        )
        assert (outer.tag(ORIGIN), inner.tag("mlflow.parentRunId")) == (self.outer, outer.run_id)
        assert (outer.status, outer.start_time, outer.end_time) == ("FINISHED", 1000, 9000)
        assert (outer.tag("stage"), outer.tag("gone")) == ("last", None)
        assert outer.params == (Param("alpha", "0.5"),)
        steps = [metric.step for metric in store.get_metric_history(outer.run_id, "loss").metrics]
        assert sorted(steps) == list(range(STEPS))
        assert len(store.get_metric_history(outer.run_id, "odd").metrics) == 2
        files = store.artifacts(outer.artifact_uri)
        assert [(file.path, file.size) for file in (*files.list("data"), *files.list("logs"))] == [
            ("data/large.bin", 3_000_000), ("logs/output.log", 3000),
        ]  # fmt: skip
        if self.models:
            self._check_model(store, outer)

    def _check_model(self, store: RestStore, outer: Run) -> None:
        (model,) = part_of(store, LoggedModels).search_logged_models([outer.experiment_id]).models
        assert (model.name, model.source_run_id, model.status) == (
            "forest",
            outer.run_id,
            "LOGGED_MODEL_READY",
        )
        assert any(tag.key == ORIGIN_MODEL for tag in model.tags)
        assert [file.path for file in store.artifacts(model.artifact_uri).list()] == ["MLmodel"]
        (score,) = store.get_metric_history(outer.run_id, "score").metrics
        assert score.value == 0.5


@pytest.fixture(params=[pytest.param("mlflow2_server", marks=pytest.mark.large), "mlflow3_server"])
def proxy(request: pytest.FixtureRequest) -> Iterator[Proxy]:
    with proxy_to(request.getfixturevalue(request.param)) as proxy:
        proxy.newest = request.param == "mlflow3_server"  # type: ignore[attr-defined]
        yield proxy


@pytest.fixture
def offline(proxy: Proxy, tmp_path: Path) -> Offline:
    return Offline(tmp_path / "run", models=proxy.newest)  # type: ignore[attr-defined]


def test_all_of_it_arrives(proxy: Proxy, offline: Offline) -> None:
    with closing(RestStore(proxy.uri, NO_RETRIES)) as store, Journal(offline.folder) as journal:
        merged = merge(journal, store)
        assert (merged.reason, merged.refused) == ("", ())
        assert merged.metrics == STEPS + 2 + offline.models
        sent = proxy.requests
        again = merge(journal, store)
        assert (again.complete, again.params, again.metrics, again.tags, again.artifacts) == (
            True,
            0,
            0,
            0,
            0,
        )
        assert proxy.requests - sent <= 3  # only whether the runs and the model are there
        offline.check(store)


@pytest.mark.parametrize("when", ["before", "after"])
def test_it_arrives_once_when_every_request_is_cut_off_once(
    proxy: Proxy, offline: Offline, when: str
) -> None:
    with closing(RestStore(proxy.uri, NO_RETRIES)) as store:
        for number in range(100):
            proxy.faults = iter([*[""] * number, when])
            with Journal(offline.folder) as journal:  # as the next command does
                if merge(journal, store).complete:
                    break
        proxy.faults = iter(())
        offline.check(store)
