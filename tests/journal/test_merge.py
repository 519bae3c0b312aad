"""The merge of a run-scoped store: everything arrives, exactly once, however often it is broken off."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projrun.journal.journal import Journal, has_journal
from projrun.journal.merge import Merged, merge
from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Run, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.origin import ORIGIN
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore
from tests.journal.stores import Failing, ForeignStore
from tests.support.examples import examples
from tests.support.stores import new_store

OWNER, NESTED = "a" * 32, "b" * 32


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "run") as opened:
        yield opened


@pytest.fixture
def target(tmp_path: Path) -> Iterator[ForeignStore]:
    store = ForeignStore.at(tmp_path)
    yield store
    store.close()


def fill(journal: Journal, steps: int = 3) -> None:
    """A run and a nested one that refers to it, in an experiment of their own."""
    store = journal.store
    experiment = store.create_experiment("offline", tags=[Tag("team", "red")])
    store.create_run(experiment, run_name="outer", user_id="me", start_time=1000, origin_id=OWNER)
    store.create_run(experiment, run_name="inner", start_time=2000, origin_id=NESTED)
    store.log_batch(NESTED, tags=[Tag("mlflow.parentRunId", OWNER), Tag("model", f"runs:/{OWNER}/model")])
    store.log_batch(OWNER, params=[Param("alpha", "0.5")], tags=[Tag("stage", "first"), Tag("gone", "x")])
    metrics = [
        Metric(key, value, 5000 + step, step)
        for step in range(steps)
        for key, value in (("loss", 1 / (step + 1)), ("nan", math.nan), ("big", math.inf))
    ]
    for first in range(0, len(metrics), 999):
        store.log_batch(OWNER, metrics=metrics[first : first + 999])
    store.set_tag(OWNER, Tag("stage", "last"))
    store.delete_tag(OWNER, "gone")
    part_of(store, Inputs).log_inputs(OWNER, [Dataset("d", "1", "local", "here")])
    fill_models(journal, experiment)
    artifact(journal, OWNER, "logs/output.log", b"line\n")
    artifact(journal, NESTED, "model/weights", bytes(3000))
    store.update_run(OWNER, status="FAILED", end_time=9000)


def fill_models(journal: Journal, experiment: str) -> None:
    store = journal.store
    model = part_of(store, LoggedModels).create_logged_model(
        experiment, name="forest", source_run_id=OWNER, params=[Param("depth", "3")], tags=[Tag("of", OWNER)]
    )
    part_of(store, Inputs).log_outputs(OWNER, [ModelOutput(model.model_id, 2)])
    store.log_batch(OWNER, metrics=[Metric("score", 0.5, 1, 1, model_id=model.model_id)])
    store.set_tag(OWNER, Tag("best", f"models:/{model.model_id}"))
    file = journal.folder / "made"
    file.write_bytes(b"trees")
    store.artifacts(model.artifact_uri).upload(file, "MLmodel")
    part_of(store, LoggedModels).finalize_logged_model(model.model_id, "LOGGED_MODEL_READY")
    part_of(store, ModelRegistry).create_registered_model("echo", description="says it again")
    own = store.get_run(OWNER)
    for source in (f"{own.artifact_uri}/model", f"models:/{model.model_id}"):
        part_of(store, ModelRegistry).create_model_version(
            "echo", source=source, run_id=OWNER, tags=[Tag("of", OWNER)]
        )


def check_models(target: SqlStore, outer: Run) -> None:
    (model,) = part_of(target, LoggedModels).search_logged_models([outer.experiment_id]).models
    assert (model.name, model.source_run_id, model.status) == ("forest", outer.run_id, "LOGGED_MODEL_READY")
    assert model.params == (Param("depth", "3"),)
    assert Tag("of", outer.run_id) in model.tags
    assert outer.model_outputs == (ModelOutput(model.model_id, 2),)
    assert outer.tag("best") == f"models:/{model.model_id}"
    assert [metric.model_id for metric in target.get_metric_history(outer.run_id, "score").metrics] == [
        model.model_id
    ]
    folder = target.artifacts(model.artifact_uri).folder
    assert folder is not None
    assert (folder / "MLmodel").read_bytes() == b"trees"
    registered = part_of(target, ModelRegistry).get_registered_model("echo")
    assert (registered.description, registered.latest_versions[0].version) == ("says it again", "2")
    versions = [part_of(target, ModelRegistry).get_model_version("echo", number) for number in ("1", "2")]
    assert [version.source for version in versions] == [
        f"{outer.artifact_uri}/model", f"models:/{model.model_id}",
    ]  # fmt: skip
    assert {version.run_id for version in versions} == {outer.run_id}
    assert all(Tag("of", outer.run_id) in version.tags for version in versions)


def artifact(journal: Journal, run_id: str, path: str, content: bytes) -> None:
    file = journal.folder / "made"
    file.write_bytes(content)
    journal.store.artifacts(journal.store.get_run(run_id).artifact_uri).upload(file, path)


def only(target: RunStore, name: str) -> Run:
    found = target.get_experiment_by_name("offline")
    assert found is not None
    (run,) = target.search_runs([found.experiment_id], filter_string=f"run_name = '{name}'").runs
    return target.get_run(run.run_id)


def check(target: ForeignStore | SqlStore, steps: int = 3) -> None:
    """Everything that `fill` made is in the target once."""
    outer, inner = only(target, "outer"), only(target, "inner")
    assert (outer.status, outer.start_time, outer.end_time, outer.user_id) == ("FAILED", 1000, 9000, "me")
    assert outer.params == (Param("alpha", "0.5"),)
    assert outer.tag("stage") == "last"
    assert outer.tag("gone") is None
    assert inner.tag("mlflow.parentRunId") == outer.run_id
    assert inner.tag("model") == f"runs:/{outer.run_id}/model"
    for key in ("loss", "nan", "big"):
        assert len(target.get_metric_history(outer.run_id, key).metrics) == steps
    assert [dataset.name for dataset in outer.datasets] == ["d"]
    assert content(target, outer, "logs/output.log") == b"line\n"
    assert content(target, inner, "model/weights") == bytes(3000)
    check_models(target, outer)
    if isinstance(target, ForeignStore):
        counted = Counter((metric.key, metric.step) for metric in target.arrived)
        assert len(counted) == 3 * steps + 1
        assert set(counted.values()) == {1}


def content(target: SqlStore, run: Run, path: str) -> bytes:
    folder = target.artifacts(run.artifact_uri).folder
    assert folder is not None
    return (folder / path).read_bytes()


def merged_into(journal: Journal, target: object, **options: Any) -> Merged:
    return merge(journal, cast("RunStore", target), **options)


def test_a_foreign_store_gives_ids_of_its_own(journal: Journal, target: ForeignStore) -> None:
    fill(journal)
    merged = merge(journal, target)
    check(target)
    assert merged.complete
    assert (merged.params, merged.metrics, merged.artifacts, merged.refused) == (1, 10, 3, ())
    outer = only(target, "outer")
    assert merged.run_ids[OWNER] == outer.run_id != OWNER
    assert outer.tag(ORIGIN) == OWNER
    experiment = target.get_experiment(outer.experiment_id)
    assert experiment.tags == (Tag("team", "red"),)


def test_a_store_of_ours_keeps_the_ids(journal: Journal, tmp_path: Path) -> None:
    fill(journal)
    target = SqlStore.open(tmp_path / "ours.db")
    assert merge(journal, target).run_ids == {OWNER: OWNER, NESTED: NESTED}
    check(target)
    target.close()


def test_a_second_merge_sends_nothing(journal: Journal, target: ForeignStore) -> None:
    fill(journal)
    merge(journal, target)
    again = merge(journal, target)
    assert again[1:] == (0, 0, 0, 0, 0, (), "", False)
    check(target)


def test_a_merge_goes_on_with_what_is_new(journal: Journal, target: ForeignStore) -> None:
    fill(journal, steps=2)
    merge(journal, target)
    target.set_tag(only(target, "outer").run_id, Tag("stage", "changed there since"))
    journal.store.log_batch(OWNER, metrics=[Metric("loss", 7.0, 1, 7)])
    artifact(journal, OWNER, "logs/output.log", b"longer\n")
    merged = merge(journal, target)
    assert (merged.metrics, merged.tags, merged.artifacts) == (1, 0, 1)
    outer = only(target, "outer")
    assert outer.tag("stage") == "changed there since"
    assert content(target, outer, "logs/output.log") == b"longer\n"


FAULTS = st.lists(st.sampled_from(["", "", "before", "after"]), max_size=40)


@given(rounds=st.lists(FAULTS, max_size=6), steps=st.sampled_from([1, 3, 700]), foreign=st.booleans())
@settings(max_examples=examples(30))
def test_whatever_fails_everything_is_there_once(rounds: list[list[str]], steps: int, foreign: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Journal(folder / "run") as journal:
            fill(journal, steps)
        target = ForeignStore.at(folder) if foreign else SqlStore.open(new_store(folder / "ours.db"))
        for faults in rounds:
            with Journal(folder / "run") as journal:  # as the next command does
                merged_into(journal, Failing(target, iter(faults)))
        with Journal(folder / "run") as journal:
            assert merge(journal, target).complete
            assert merge(journal, target)[1:] == (0, 0, 0, 0, 0, (), "", False)
        check(target, steps)
        target.close()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "call", [pytest.param(n, marks=[] if n % 8 == 2 else pytest.mark.large) for n in range(48)]
)
def test_each_call_may_fail_alone(journal: Journal, target: ForeignStore, call: int, when: str) -> None:
    fill(journal)
    merged_into(journal, Failing(target, iter([*[""] * call, when])))
    assert merge(journal, target).complete
    check(target)


def test_what_the_target_refuses_does_not_keep_the_rest(journal: Journal, target: ForeignStore) -> None:
    fill(journal)
    merge(journal, target)
    outer = only(target, "outer")
    target.log_batch(outer.run_id, params=[Param("beta", "1")])
    journal.store.log_batch(
        OWNER, params=[Param("beta", "2"), Param("gamma", "3")], metrics=[Metric("loss", 8.0, 8, 8)]
    )
    merged = merge(journal, target)
    assert merged.complete
    assert [text.partition(":")[0] for text in merged.refused] == ["param beta"]
    outer = only(target, "outer")
    assert {param.key: param.value for param in outer.params} == {"alpha": "0.5", "beta": "1", "gamma": "3"}
    assert len(target.get_metric_history(outer.run_id, "loss").metrics) == 4


def test_an_adopted_run_sends_only_what_came_since(journal: Journal, target: ForeignStore) -> None:
    run = target.create_run("0", run_name="online", start_time=1, tags=[Tag("kept", "by hand")])
    target.log_batch(run.run_id, params=[Param("alpha", "1")])
    journal.adopt(target.get_run(run.run_id))
    target.set_tag(run.run_id, Tag("kept", "changed there"))
    journal.hold(target.get_run(run.run_id), tags=[Tag("late", "yes")], params=[Param("beta", "2")])
    file = journal.folder / "patch"
    file.write_bytes(b"diff")
    journal.hold_artifact(run, file, "source/dirty.patch")
    merged = merge(journal, target)
    assert (merged.params, merged.tags, merged.artifacts) == (1, 1, 1)
    assert merged.run_ids == {run.run_id: run.run_id}
    found = target.get_run(run.run_id)
    assert (found.tag("kept"), found.tag("late")) == ("changed there", "yes")
    assert content(target, found, "source/dirty.patch") == b"diff"


def test_a_run_that_was_deleted_there_is_not_created_again(journal: Journal, target: ForeignStore) -> None:
    run = target.create_run("0", run_name="online", start_time=1)
    journal.hold(run, tags=[Tag("late", "yes")])
    with target._engine.writing() as connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
    merged = merge(journal, target)
    assert merged.complete
    assert "was deleted" in merged.refused[0]
    assert journal.count() == 0


def test_an_experiment_that_was_deleted_keeps_the_run_waiting(journal: Journal, target: ForeignStore) -> None:
    fill(journal)
    target.create_experiment("offline")
    with target._engine.writing() as connection:
        connection.execute("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'offline'")
    merged = merge(journal, target)
    assert "'offline'" in merged.reason
    assert not merged.away
    assert "deleted" in merged.reason


def test_a_merge_stops_in_time_and_goes_on_later(journal: Journal, target: ForeignStore) -> None:
    fill(journal)
    assert merge(journal, target, until=time.monotonic()).reason
    assert merge(journal, target, until=time.monotonic() + 60).complete
    check(target)


def test_a_target_that_does_not_answer_is_away(journal: Journal, target: ForeignStore) -> None:
    fill(journal)
    merged = merged_into(journal, Failing(target, iter(["before"])))
    assert (merged.away, merged.reason) == (True, "the server is away")


def test_progress_names_the_files_and_grows(journal: Journal, target: ForeignStore) -> None:
    fill(journal)
    seen: list[tuple[str, float]] = []
    merge(journal, target, progress=lambda text, share: seen.append((text, share)))
    assert "weights" in [text for text, _ in seen]
    assert seen[-1][1] == 1.0


def test_what_is_held_is_on_the_disk_before_the_file_itself_may_go(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_text("printed\n")
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    run = Run("r" * 32, "0", "calm-otter", "RUNNING", 1, None, "mlflow-artifacts:/0/r/artifacts")
    held = journal.hold_artifact(run, tmp_path / "log", "logs/output.log")
    assert synced == [held.stat().st_ino]


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    assert not has_journal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_deleted_is_deleted_in_the_target(tmp_path: Path, target: ForeignStore) -> None:
    with Journal(tmp_path / "own") as journal:
        journal.store.create_run("0", run_name="gone", start_time=1000, origin_id=OWNER)
        journal.store.log_batch(OWNER, params=[Param("alpha", "0.5")])
        models = part_of(journal.store, LoggedModels)
        model = models.create_logged_model("0", name="tree", source_run_id=OWNER)
        models.delete_logged_model(model.model_id)
        part_of(journal.store, LifeCycle).delete_run(OWNER)
        for _ in range(2):
            assert merge(journal, target).refused == ()
    (run,) = target.search_runs(["0"], view_type="DELETED_ONLY").runs
    assert (run.run_name, run.params) == ("gone", (Param("alpha", "0.5"),))
    assert part_of(target, LoggedModels).search_logged_models(["0"]).models == ()
