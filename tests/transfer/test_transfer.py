"""The transfer of a whole store: nothing is lost, nothing comes twice, wherever it is broken off."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from errno import EACCES, ENOSPC
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from projrun.errors import InvalidValueError, TrackingError
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.entities import Metric, Param
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore
from projrun.transfer.report import Transferred
from projrun.transfer.stores import StoreSource
from projrun.transfer.transfer import Transfer
from tests.journal.stores import Failing, ForeignStore, Outage
from tests.transfer.stores import contents, full_store, store_at


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(full_store(tmp_path / "own")) as store:
        yield store


@pytest.fixture
def target(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(store_at(tmp_path / "target")) as store:
        yield store


def bring(source: RunStore, target: RunStore, *names: str, check: bool = False) -> Transferred:
    done = Transfer(StoreSource(source), target, names=names, check=check).run()
    assert done.missing == []
    return done


def test_another_store_of_ours_is_equal(own: SqlStore, target: SqlStore) -> None:
    done = bring(own, target)
    assert (done.experiments, done.runs, done.models, done.versions, done.artifacts) == (2, 4, 2, 3, 3)
    assert contents(target) == contents(own)


def test_a_second_time_does_nothing(own: SqlStore, target: SqlStore) -> None:
    bring(own, target)
    before = contents(target)
    assert bring(own, target) == Transferred(found=2)  # one goes on, and is compared
    assert bring(own, target, check=True) == Transferred(found=1)  # deleted
    assert contents(target) == before


def test_what_went_through_a_server_with_ids_of_its_own_is_equal(own: SqlStore, tmp_path: Path) -> None:
    with (
        closing(ForeignStore.at(tmp_path / "foreign")) as foreign,
        closing(store_at(tmp_path / "back")) as back,
    ):
        bring(own, foreign)
        assert bring(own, foreign) == Transferred(found=2)
        ids = {run.run_id for run in own.search_runs(["1", "2"], view_type="ALL").runs}
        assert ids.isdisjoint(run.run_id for run in foreign.search_runs(["1", "2"], view_type="ALL").runs)
        bring(foreign, back)
        assert contents(back) == contents(own)
        assert bring(foreign, own) == Transferred(found=2)  # its own runs come home


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("keeps_ids", [True, False])
def test_it_arrives_once_when_every_call_is_broken_off_once(
    own: SqlStore, tmp_path: Path, when: str, keeps_ids: bool
) -> None:
    folder, expected = tmp_path / "target", contents(own)
    arrived: list[tuple[str, Metric]] = []
    for number in count():
        with closing(store_at(folder) if keeps_ids else ForeignStore.at(folder, arrived)) as store:
            faults = iter([*[""] * number, when])
            with suppress(Outage):
                Transfer(StoreSource(own), cast(RunStore, Failing(store, faults))).run()
            if when in faults:  # it made fewer calls
                break
    assert number > 15
    with closing(store_at(tmp_path / "back")) as back:
        with closing(store_at(folder) if keeps_ids else ForeignStore.at(folder)) as store:
            bring(store, back)
            assert [
                *Counter(run.run_name for run in store.search_runs(["1"], view_type="ALL").runs).values()
            ] == [1] * 3
        assert contents(back) == expected
    plain = Counter((run, str(metric)) for run, metric in arrived)
    assert [metric for metric, times in plain.items() if times > 1] == []


def test_a_run_that_goes_on_is_brought_as_it_grows(own: SqlStore, target: SqlStore) -> None:
    bring(own, target)
    (inner,) = (run for run in own.search_runs(["1"]).runs if run.run_name == "inner")
    own.log_batch(inner.run_id, metrics=[Metric("late", 1.0, 1)], params=[Param("late", "1")])
    own.update_run(inner.run_id, status="FINISHED", end_time=4000)
    done = bring(own, target)
    assert (done.points, done.runs, done.found) == (1, 0, 2)
    assert contents(target) == contents(own)


def test_check_finds_what_a_run_that_ended_was_given_later(own: SqlStore, target: SqlStore) -> None:
    bring(own, target)
    (outer,) = (run for run in own.search_runs(["1"]).runs if run.run_name == "outer")
    own.log_batch(outer.run_id, metrics=[Metric("loss", 9.0, 1, 0)])
    assert bring(own, target).points == 0
    assert bring(own, target, check=True).points == 1
    assert contents(target) == contents(own)


def test_chosen_experiments_alone(own: SqlStore, target: SqlStore) -> None:
    bring(own, target, "gone")
    assert target.get_experiment_by_name("wine") is None
    assert part_of(target, ModelRegistry).search_registered_models().models == ()
    with pytest.raises(InvalidValueError, match="has no experiment 'vine'"):
        bring(own, target, "vine")


def test_an_experiment_of_others_is_joined_and_never_deleted(own: SqlStore, target: SqlStore) -> None:
    gone = target.create_experiment("gone")
    theirs = target.create_run(gone, start_time=1)
    done = bring(own, target)
    assert done.notes == ["experiment gone stays: it has other runs there, or all need it"]
    assert target.get_experiment(gone).lifecycle_stage == "active"
    assert target.get_run(theirs.run_id).lifecycle_stage == "active"


def test_the_default_experiment_of_the_target_is_never_deleted(tmp_path: Path, target: SqlStore) -> None:
    with closing(store_at(tmp_path / "own")) as own:
        part_of(own, LifeCycle).delete_experiment("0")
        bring(own, target)
    assert target.get_experiment("0").lifecycle_stage == "active"


def test_what_was_deleted_in_the_target_stays_deleted(own: SqlStore, target: SqlStore) -> None:
    bring(own, target)
    for run in target.search_runs(["1"]).runs:
        part_of(target, LifeCycle).delete_run(run.run_id)
    bring(own, target, check=True)
    assert target.search_runs(["1"]).runs == ()
    wine = target.get_experiment_by_name("wine")
    assert wine is not None
    part_of(target, LifeCycle).delete_experiment(wine.experiment_id)
    done = Transfer(StoreSource(own), target).run()
    assert any("experiment 'wine' (id 1) was deleted" in text for text in done.missing)


def test_versions_get_other_numbers_where_theirs_are_taken(own: SqlStore, target: SqlStore) -> None:
    registry = part_of(target, ModelRegistry)
    registry.create_registered_model("forest")
    for _ in range(2):
        registry.create_model_version("forest", source="s3://theirs/model")
    done = bring(own, target)
    assert "version 1 of model forest is version 3 there" in done.notes
    assert bring(own, target).versions == 0
    aliases = registry.get_registered_model("forest").aliases
    assert [(alias.alias, alias.version) for alias in aliases] == [("champion", "4")]
    (copy,) = registry.get_registered_model("copies").latest_versions
    assert copy.source == "models:/forest/4"


def _failing_uploads(patch: pytest.MonkeyPatch, path: str, code: int) -> None:
    upload = LocalArtifacts.upload

    def fail(self: LocalArtifacts, file: Path, place: str) -> None:
        if place == path:
            raise OSError(code, os.strerror(code), place)
        upload(self, file, place)

    patch.setattr(LocalArtifacts, "upload", fail)


def test_a_full_disk_ends_it_in_one_line_and_it_goes_on_later(own: SqlStore, target: SqlStore) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _failing_uploads(patch, "data/notes.txt", ENOSPC)
        with pytest.raises(TrackingError, match=r"^data/notes\.txt: No space left on device$"):
            Transfer(StoreSource(own), target).run()
    assert bring(own, target).artifacts == 3
    assert contents(target) == contents(own)


def test_a_file_that_is_refused_is_named_and_the_rest_comes(own: SqlStore, target: SqlStore) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _failing_uploads(patch, "data/notes.txt", EACCES)
        done = Transfer(StoreSource(own), target).run()
    assert [text.partition(": ")[2] for text in done.missing] == [
        "its artifacts: data/notes.txt: Permission denied"
    ]
    assert (done.artifacts, bring(own, target, check=True).artifacts) == (2, 1)


def test_a_value_that_is_refused_stops_nothing_else(own: SqlStore, target: SqlStore) -> None:
    (outer,) = (run for run in own.search_runs(["1"]).runs if run.run_name == "outer")
    wine = target.create_experiment("wine")
    target.create_run(wine, start_time=1, origin_id=outer.run_id)
    target.log_batch(outer.run_id, params=[Param("alpha", "another")])
    done = Transfer(StoreSource(own), target).run()
    assert len(done.missing) == 1
    assert f"run {outer.run_id}: param alpha: Changing param values is not allowed" in done.missing[0]
    assert Param("empty", "") in target.get_run(outer.run_id).params
    assert len(target.get_metric_history(outer.run_id, "loss").metrics) == 30
