"""The conformance kit of tracking stores: experiments and runs."""

from __future__ import annotations

import os

import pytest

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from projrun.testing.run_store_base import AWKWARD, NO_EXPERIMENT, NO_RUN, ConformanceBase, unique
from projrun.tracking.entities import Experiment, Param, Run, Tag
from projrun.tracking.origin import run_of_origin
from projrun.tracking.runs import RunStore
from projrun.tracking.statuses import ViewType


class ExperimentConformance(ConformanceBase):
    """Experiments."""

    def test_experiment_is_found_by_id_and_by_name(self, store: RunStore) -> None:
        name = unique("found é")
        identifier = store.create_experiment(name, tags=[Tag("team", "a")])
        found = store.get_experiment(identifier)
        assert (found.experiment_id, found.name, found.lifecycle_stage) == (identifier, name, "active")
        assert Tag("team", "a") in found.tags
        assert found.artifact_location
        assert found.creation_time > 0
        assert store.get_experiment_by_name(name) == found

    def test_default_experiment_exists(self, store: RunStore) -> None:
        assert store.get_experiment("0").name == "Default"

    def test_unknown_name_is_none(self, store: RunStore) -> None:
        assert store.get_experiment_by_name(unique("absent")) is None

    def test_unknown_id_is_not_found(self, store: RunStore) -> None:
        with pytest.raises(NotFoundError):
            store.get_experiment(NO_EXPERIMENT)

    def test_name_is_taken_once(self, store: RunStore) -> None:
        name = unique("taken")
        store.create_experiment(name)
        with pytest.raises(AlreadyExistsError):
            store.create_experiment(name)

    def test_empty_name_is_refused(self, store: RunStore) -> None:
        with pytest.raises(InvalidValueError):
            store.create_experiment("")

    def test_tag_is_overwritten(self, store: RunStore, experiment_id: str) -> None:
        store.set_experiment_tag(experiment_id, Tag("stage", "one"))
        store.set_experiment_tag(experiment_id, Tag("stage", AWKWARD))
        tags = store.get_experiment(experiment_id).tags
        assert [tag.value for tag in tags if tag.key == "stage"] == [AWKWARD]

    def test_search_pages_through_all(self, store: RunStore) -> None:
        prefix = unique("paged")
        made = {store.create_experiment(f"{prefix}-{number}") for number in range(5)}
        found: list[str] = []
        token = ""
        while True:
            page = store.search_experiments(
                filter_string=f"name LIKE '{prefix}%'", max_results=2, page_token=token
            )
            assert len(page.experiments) <= 2
            found += [experiment.experiment_id for experiment in page.experiments]
            token = page.next_page_token
            if not token:
                break
        assert len(found) == 5
        assert set(found) == made

    def test_deleted_experiment_is_seen_where_asked_for(self, store: RunStore, experiment_id: str) -> None:
        name = store.get_experiment(experiment_id).name
        self.delete_experiment(store, experiment_id)
        assert store.get_experiment(experiment_id).lifecycle_stage == "deleted"
        by_name = store.get_experiment_by_name(name)
        assert by_name is not None
        assert by_name.lifecycle_stage == "deleted"
        assert _experiments(store, name, "ACTIVE_ONLY") == ()
        assert len(_experiments(store, name, "DELETED_ONLY")) == 1
        assert len(_experiments(store, name, "ALL")) == 1
        with pytest.raises(AlreadyExistsError):
            store.create_experiment(name)


class RunConformance(ConformanceBase):
    """Runs and their states."""

    def test_new_run_is_running(self, store: RunStore, experiment_id: str) -> None:
        run = store.create_run(
            experiment_id, run_name="mine", user_id="someone", start_time=1_234, tags=[Tag("a", AWKWARD)]
        )
        found = store.get_run(run.run_id)
        assert found.run_id == run.run_id
        assert found.experiment_id == experiment_id
        assert (found.run_name, found.user_id, found.status) == ("mine", "someone", "RUNNING")
        assert (found.start_time, found.end_time, found.lifecycle_stage) == (1_234, None, "active")
        assert found.artifact_uri == run.artifact_uri
        assert run.run_id in run.artifact_uri
        assert found.tag("a") == AWKWARD
        assert found.tag("mlflow.runName") == "mine"
        assert found == run._replace(tags=found.tags)
        assert set(found.tags) == set(run.tags)

    def test_run_without_a_name_gets_one(self, store: RunStore, experiment_id: str) -> None:
        assert store.create_run(experiment_id, start_time=1).run_name

    def test_run_is_found_by_the_id_that_it_was_asked_for_with(
        self, store: RunStore, experiment_id: str
    ) -> None:
        origin_id = os.urandom(16).hex()
        run = store.create_run(experiment_id, start_time=1, origin_id=origin_id)
        assert run_of_origin(store, experiment_id, origin_id).run_id == run.run_id
        with pytest.raises(NotFoundError):
            run_of_origin(store, experiment_id, os.urandom(16).hex())

    def test_run_needs_its_experiment(self, store: RunStore) -> None:
        with pytest.raises(NotFoundError):
            store.create_run(NO_EXPERIMENT, start_time=1)

    def test_unknown_run_is_not_found(self, store: RunStore) -> None:
        with pytest.raises(NotFoundError):
            store.get_run(NO_RUN)

    @pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED", "SCHEDULED", "RUNNING"])
    def test_status_and_end_are_updated(self, store: RunStore, run: Run, status: str) -> None:
        updated = store.update_run(run.run_id, status=status, end_time=5_000)  # type: ignore[arg-type]
        assert (updated.run_id, updated.status, updated.end_time) == (run.run_id, status, 5_000)
        found = store.get_run(run.run_id)
        assert (found.status, found.end_time, found.run_name) == (status, 5_000, "first")

    def test_renaming_changes_the_tag_too(self, store: RunStore, run: Run) -> None:
        store.update_run(run.run_id, run_name="second")
        found = store.get_run(run.run_id)
        assert (found.run_name, found.status) == ("second", "RUNNING")
        assert found.tag("mlflow.runName") == "second"

    def test_update_of_an_unknown_run_is_not_found(self, store: RunStore) -> None:
        with pytest.raises(NotFoundError):
            store.update_run(NO_RUN, status="FINISHED")

    def test_deleted_run_is_seen_where_asked_for(self, store: RunStore, run: Run) -> None:
        self.delete_run(store, run.run_id)
        assert store.get_run(run.run_id).lifecycle_stage == "deleted"
        experiments = [run.experiment_id]
        assert store.search_runs(experiments).runs == ()
        assert len(store.search_runs(experiments, view_type="DELETED_ONLY").runs) == 1
        assert len(store.search_runs(experiments, view_type="ALL").runs) == 1
        with pytest.raises(InvalidValueError):
            store.log_batch(run.run_id, params=[Param("a", "1")])


def _experiments(store: RunStore, name: str, view_type: ViewType) -> tuple[Experiment, ...]:
    return store.search_experiments(filter_string=f"name = '{name}'", view_type=view_type).experiments
