"""The conformance kit of removing for good what was deleted.

class TestMyStore(PurgeConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RunStore]: ...
"""

from __future__ import annotations

import pytest

from projrun.errors import NotFoundError
from projrun.testing.run_store_base import ConformanceBase, unique
from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Run, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.purge import Deleted, Kind, Purge
from projrun.tracking.runs import RunStore
from projrun.tracking.traces import Assessment, TraceInfo, Traces


def fill(store: RunStore, experiment_id: str) -> tuple[str, str, str]:
    """A run, a logged model and a trace with all that can belong to them; their ids."""
    run_id = store.create_run(experiment_id, start_time=1).run_id
    params, tags = [Param("p", "1")], [Tag("t", "1")]
    model = (
        part_of(store, LoggedModels)
        .create_logged_model(experiment_id, source_run_id=run_id, params=params, tags=tags)
        .model_id
    )
    metrics = [Metric("m", 1.0, step, step, model_id=model if step % 2 else None) for step in range(4)]
    store.log_batch(run_id, metrics=metrics, params=params, tags=tags)
    store.set_experiment_tag(experiment_id, tags[0])
    inputs = part_of(store, Inputs)
    inputs.log_inputs(run_id, [Dataset(unique("d"), "1", "local", "{}", tags=tuple(tags))], [model])
    inputs.log_outputs(run_id, [ModelOutput(model)])
    trace = TraceInfo(unique("tr"), experiment_id, 1, metadata=tuple(tags), tags=tuple(tags))
    traces = part_of(store, Traces)
    traces.record_trace(trace._replace(assessments=(Assessment("a", "{}"),)))
    traces.link_traces([trace.trace_id], run_id)
    return run_id, model, trace.trace_id


class PurgeConformance(ConformanceBase):
    """Only what is deleted is removed, and then all of it."""

    @pytest.fixture
    def purge(self, store: RunStore) -> Purge:
        """The part of the store that is tested."""
        return part_of(store, Purge)

    def test_run_is_removed_with_what_it_logged(
        self, store: RunStore, purge: Purge, experiment_id: str, run: Run
    ) -> None:
        run_id, model_id, trace_id = fill(store, experiment_id)
        part_of(store, LifeCycle).delete_run(run_id)
        (deleted,) = of_experiment(purge, experiment_id)
        assert (deleted.kind, deleted.id, deleted.name) == ("run", run_id, store.get_run(run_id).run_name)
        assert deleted.places == (store.get_run(run_id).artifact_uri,)
        assert deleted.deleted_time > 1_000_000_000_000
        purge.check(deleted)
        purge.remove(deleted)
        with pytest.raises(NotFoundError):
            store.get_run(run_id)
        assert of_experiment(purge, experiment_id) == []
        assert part_of(store, LoggedModels).get_logged_model(model_id).source_run_id == run_id
        assert part_of(store, Traces).get_trace(trace_id).trace_id == trace_id
        assert store.get_run(run.run_id) == run

    def test_logged_model_is_removed_and_its_run_stays(
        self, store: RunStore, purge: Purge, experiment_id: str
    ) -> None:
        run_id, model_id, _ = fill(store, experiment_id)
        models = part_of(store, LoggedModels)
        models.delete_logged_model(model_id)
        (deleted,) = of_experiment(purge, experiment_id)
        assert (deleted.kind, deleted.id) == ("logged_model", model_id)
        purge.remove(deleted)
        with pytest.raises(NotFoundError):
            models.get_logged_model(model_id, allow_deleted=True)
        assert len(store.get_metric_history(run_id, "m").metrics) == 4
        assert store.get_run(run_id).model_outputs == ()

    def test_experiment_is_removed_after_what_is_in_it(
        self, store: RunStore, purge: Purge, experiment_id: str, run: Run
    ) -> None:
        _, model_id, trace_id = fill(store, experiment_id)
        self.delete_experiment(store, experiment_id)
        found = of_experiment(purge, experiment_id)
        assert [each.kind for each in found] == ["run", "run", "logged_model", "experiment"]
        purge.remove(found[-1])  # whoever removes it alone removes all that is in it
        with pytest.raises(NotFoundError):
            store.get_experiment(experiment_id)
        with pytest.raises(NotFoundError):
            store.get_run(run.run_id)
        with pytest.raises(NotFoundError):
            part_of(store, LoggedModels).get_logged_model(model_id, allow_deleted=True)
        with pytest.raises(NotFoundError):
            part_of(store, Traces).get_trace(trace_id)
        with pytest.raises(NotFoundError):
            purge.remove(found[0])

    def test_what_is_restored_stays(
        self, store: RunStore, purge: Purge, experiment_id: str, run: Run
    ) -> None:
        self.delete_experiment(store, experiment_id)
        found = of_experiment(purge, experiment_id)
        part_of(store, LifeCycle).restore_experiment(experiment_id)
        for deleted in found:
            for call in (purge.check, purge.remove):
                with pytest.raises(NotFoundError, match="is not deleted any more"):
                    call(deleted)
        assert store.get_run(run.run_id) == run

    @pytest.mark.parametrize("kind", ["run", "logged_model", "experiment"])
    def test_what_was_never_there_is_not_removed(self, purge: Purge, kind: Kind) -> None:
        with pytest.raises(NotFoundError):
            purge.remove(Deleted(kind, "987654321", "none", 0, "987654321", ()))


def of_experiment(purge: Purge, experiment_id: str) -> list[Deleted]:
    """What is deleted in an experiment."""
    return [each for each in purge.find_deleted() if each.experiment_id == experiment_id]
