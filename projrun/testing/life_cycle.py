"""The conformance kit of a store's life cycle: deleting, restoring and renaming experiments and runs.

    class TestMyStore(LifeCycleConformance):
        @pytest.fixture
        def store(self, tmp_path: Path) -> Iterator[RunStore]: ...

Every test was tried against MLflow's own servers, 2.22 and 3.17.
"""

from __future__ import annotations

import pytest

from projrun.errors import InvalidValueError, NotFoundError, ProjrunError
from projrun.testing.run_store_base import NO_EXPERIMENT, NO_RUN, ConformanceBase, unique
from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore

INACTIVE = "must be in the 'active' state"


class LifeCycleConformance(ConformanceBase):
    """What is deleted is hidden and kept, and comes back as it was."""

    @pytest.fixture
    def cycle(self, store: RunStore) -> LifeCycle:
        """The part of the store that is tested."""
        return part_of(store, LifeCycle)

    def test_run_is_deleted_and_comes_back(self, store: RunStore, cycle: LifeCycle, run: Run) -> None:
        store.log_batch(run.run_id, params=[Param("a", "1")], metrics=[Metric("m", 0.5, 1)])
        before = store.get_run(run.run_id)
        for _ in range(2):
            cycle.delete_run(run.run_id)
        assert store.get_run(run.run_id).lifecycle_stage == "deleted"
        assert [_ids(store, run.experiment_id, view) for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")] == [
            [],
            [run.run_id],
            [run.run_id],
        ]
        for _ in range(2):
            cycle.restore_run(run.run_id)
        assert store.get_run(run.run_id) == before
        assert _ids(store, run.experiment_id, "ACTIVE_ONLY") == [run.run_id]

    def test_deleted_run_takes_nothing(self, store: RunStore, cycle: LifeCycle, run: Run) -> None:
        cycle.delete_run(run.run_id)
        for attempt in (
            lambda: store.log_batch(run.run_id, params=[Param("a", "1")]),
            lambda: store.log_batch(run.run_id, metrics=[Metric("a", 1.0, 1)]),
            lambda: store.set_tag(run.run_id, Tag("a", "1")),
            lambda: store.delete_tag(run.run_id, "mlflow.runName"),
            lambda: store.update_run(run.run_id, status="FINISHED"),
        ):
            with pytest.raises(InvalidValueError, match=INACTIVE):
                attempt()

    def test_experiment_is_deleted_with_its_runs(
        self, store: RunStore, cycle: LifeCycle, experiment_id: str, run: Run
    ) -> None:
        other = store.create_run(experiment_id, start_time=5).run_id
        cycle.delete_run(other)
        cycle.delete_experiment(experiment_id)
        assert store.get_experiment(experiment_id).lifecycle_stage == "deleted"
        assert store.get_run(run.run_id).lifecycle_stage == "deleted"
        assert _ids(store, experiment_id, "DELETED_ONLY") == sorted([run.run_id, other])
        cycle.restore_experiment(experiment_id)
        assert store.get_experiment(experiment_id).lifecycle_stage == "active"
        # MLflow restores all runs, those that were deleted before too.
        assert _ids(store, experiment_id, "ACTIVE_ONLY") == sorted([run.run_id, other])

    def test_deleted_experiment_takes_nothing(
        self, store: RunStore, cycle: LifeCycle, experiment_id: str
    ) -> None:
        cycle.delete_experiment(experiment_id)
        for attempt in (
            lambda: store.create_run(experiment_id, start_time=1),
            lambda: store.set_experiment_tag(experiment_id, Tag("a", "1")),
        ):
            with pytest.raises(InvalidValueError, match=INACTIVE):
                attempt()
        with pytest.raises(ProjrunError):
            cycle.rename_experiment(experiment_id, unique("renamed"))

    def test_only_the_other_stage_is_changed(self, cycle: LifeCycle, experiment_id: str) -> None:
        with pytest.raises(NotFoundError, match="No Experiment with id="):
            cycle.restore_experiment(experiment_id)
        cycle.delete_experiment(experiment_id)
        with pytest.raises(NotFoundError, match="No Experiment with id="):
            cycle.delete_experiment(experiment_id)

    def test_experiment_is_renamed(self, store: RunStore, cycle: LifeCycle, experiment_id: str) -> None:
        before, name = store.get_experiment(experiment_id), unique("renamed é")
        cycle.rename_experiment(experiment_id, name)
        found = store.get_experiment_by_name(name)
        assert found is not None
        assert found == before._replace(name=name, last_update_time=found.last_update_time)
        assert store.get_experiment_by_name(before.name) is None
        cycle.rename_experiment(experiment_id, name)
        taken = unique("taken")
        store.create_experiment(taken)
        # MLflow's servers say BAD_REQUEST, ours that it exists.
        with pytest.raises(ProjrunError):
            cycle.rename_experiment(experiment_id, taken)
        assert store.get_experiment(experiment_id).name == name
        with pytest.raises(InvalidValueError):
            cycle.rename_experiment(experiment_id, "")

    def test_nothing_to_delete_or_restore(self, cycle: LifeCycle) -> None:
        for of_run in (cycle.delete_run, cycle.restore_run):
            with pytest.raises(NotFoundError):
                of_run(NO_RUN)
        for of_experiment in (cycle.delete_experiment, cycle.restore_experiment):
            with pytest.raises(NotFoundError):
                of_experiment(NO_EXPERIMENT)
        with pytest.raises(NotFoundError):
            cycle.rename_experiment(NO_EXPERIMENT, unique("renamed"))


class ExperimentTagConformance(ConformanceBase):
    """Tags of experiments can be removed; MLflow's servers before 3 do not have it."""

    def test_experiment_tag_is_deleted(self, store: RunStore, experiment_id: str) -> None:
        cycle = part_of(store, LifeCycle)
        store.set_experiment_tag(experiment_id, Tag("team", "a"))
        store.set_experiment_tag(experiment_id, Tag("kept", "b"))
        cycle.delete_experiment_tag(experiment_id, "team")
        assert store.get_experiment(experiment_id).tags == (Tag("kept", "b"),)
        with pytest.raises(NotFoundError, match="No tag with name: team"):
            cycle.delete_experiment_tag(experiment_id, "team")
        cycle.delete_experiment(experiment_id)
        with pytest.raises(InvalidValueError, match=INACTIVE):
            cycle.delete_experiment_tag(experiment_id, "kept")


def _ids(store: RunStore, experiment_id: str, view: str) -> list[str]:
    found = store.search_runs([experiment_id], view_type=view).runs  # type: ignore[arg-type]  # one of them
    return sorted(run.run_id for run in found)
