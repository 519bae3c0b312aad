"""The record of one run, in a real store: what it holds at the start, what an end changes, what never stops a run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.running.record import recorder
from projrun.running.record.recorder import RunDescription, RunEnd, RunRecorder
from projrun.tracking.entities import Param, Tag
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store

DESCRIPTION = RunDescription(
    "trial", None, None, "mine", {"mlflow.user": "ada", "empty": ""}, (Param("alpha", "0.5"),)
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


def delete(store: SqlStore, table: str) -> None:
    """Mark all runs or experiments as deleted, which MLflow's clients do."""
    with closing(sqlite3.connect(store.uri.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(f"UPDATE {table} SET lifecycle_stage = 'deleted'")


@pytest.fixture
def warnings() -> list[str]:
    return []


def test_a_new_run_has_all_that_is_known(store: SqlStore, warnings: list[str]) -> None:
    started = RunRecorder.start(store, DESCRIPTION, warnings.append)
    run = store.get_run(started.run.run_id)
    assert (run.run_name, run.status, run.user_id) == ("mine", "RUNNING", "ada")
    assert run.params == (Param("alpha", "0.5"),)
    assert run.tag("empty") is None
    experiment = store.get_experiment(run.experiment_id)
    assert experiment.name == "trial"
    again = RunRecorder.start(store, DESCRIPTION, warnings.append)
    assert again.run.experiment_id == experiment.experiment_id
    assert warnings == []


def test_experiments_that_cannot_be_used(store: SqlStore, warnings: list[str]) -> None:
    by_id = DESCRIPTION._replace(experiment_name=None, experiment_id="77")
    with pytest.raises(RequestError, match="no experiment with the id '77'"):
        RunRecorder.start(store, by_id, warnings.append)
    deleted = store.create_experiment("trial")
    delete(store, "experiments")
    with pytest.raises(RequestError, match="'trial' was deleted"):
        RunRecorder.start(store, DESCRIPTION, warnings.append)
    with pytest.raises(RequestError, match="was deleted"):
        RunRecorder.start(store, by_id._replace(experiment_id=deleted), warnings.append)
    with closing(sqlite3.connect(store.uri.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_an_experiment_by_name_and_id(store: SqlStore, warnings: list[str]) -> None:
    both = DESCRIPTION._replace(experiment_id="77")  # MLflow's two variables
    assert RunRecorder.start(store, both, warnings.append).run.experiment_id == "1", "a new one, as in MLflow"
    assert (
        RunRecorder.start(store, both._replace(experiment_id="1"), warnings.append).run.experiment_id == "1"
    )
    with pytest.raises(RequestError, match="'trial' has the id 1, not 77") as caught:
        RunRecorder.start(store, both, warnings.append)
    assert caught.value.message.startswith("MLFLOW_EXPERIMENT_NAME and MLFLOW_EXPERIMENT_ID contradict")


def test_a_long_param_is_cut_and_said_to_be(store: SqlStore, warnings: list[str]) -> None:
    limit = store.param_value_limit()
    params = (Param("long", "x" * (limit + 1)), Param("whole", "y" * limit))
    started = RunRecorder.start(store, DESCRIPTION._replace(params=params), warnings.append)
    run = store.get_run(started.run.run_id)
    assert {param.key: len(param.value) for param in run.params} == {"long": limit, "whole": limit}
    assert run.tag("projrun.param.long.truncated") == str(limit + 1)
    assert [text.partition(";")[0] for text in warnings] == [f"parameter long has {limit + 1} characters"]


@pytest.mark.parametrize(
    ("said", "status", "recorded"),
    [
        ("FAILED", "FINISHED", "FAILED"),
        ("KILLED", "FINISHED", "KILLED"),
        ("FINISHED", "FAILED", "FAILED"),
        ("RUNNING", "FINISHED", "FINISHED"),
    ],
)
def test_what_the_script_said_of_its_end(
    store: SqlStore, warnings: list[str], said: str, status: str, recorded: str
) -> None:
    started = RunRecorder.start(store, DESCRIPTION, warnings.append)
    store.update_run(started.run.run_id, status=said, end_time=4)  # type: ignore[arg-type]
    assert started.finish(RunEnd(status, 0, "", 9))  # type: ignore[arg-type]
    assert started.run.status == store.get_run(started.run.run_id).status == recorded


def test_a_store_that_fails_never_stops_a_run(
    store: SqlStore, warnings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_DELIVERY_PAUSES", (0.0, 0.0))
    started = RunRecorder.start(store, DESCRIPTION, warnings.append)
    (tmp_path / "file").write_text("x")
    assert started.artifact(tmp_path / "file", "logs/file")
    delete(store, "runs")  # from now on it takes nothing
    started.tag({"a": "b"})
    assert not started.finish(RunEnd("FAILED", 1, "why", 9))
    assert [text.partition(" could not")[0] for text in warnings] == ["tags", "the run's end"]


def test_artifacts_that_cannot_be_stored_are_one_warning(store: SqlStore, warnings: list[str]) -> None:
    store.create_experiment("elsewhere", "gopher://host/runs")
    started = RunRecorder.start(store, DESCRIPTION._replace(experiment_name="elsewhere"), warnings.append)
    assert not started.artifact(Path(__file__), "a")
    assert not started.artifact(Path(__file__), "b")
    assert started.artifact_folder() is None
    (text,) = warnings
    assert text.startswith("the run's artifacts cannot be stored: ")


@pytest.mark.parametrize(
    ("reason", "recorded"),
    [
        ("no runs:/\udce9/x", "no runs:/\\udce9/x"),
        ("a\0b é\n日", "a\\0b é\n日"),
        ("x" * 20_000, "x" * 2000 + "…"),
        ("\ud800" * 9000, ("\\ud800" * 9000)[:2000] + "…"),
    ],
)
def test_a_run_ends_whatever_its_reason_says(
    store: SqlStore, warnings: list[str], reason: str, recorded: str
) -> None:
    started = RunRecorder.start(store, DESCRIPTION, warnings.append)
    assert started.finish(RunEnd("FAILED", 3, reason, 5))
    run = store.get_run(started.run.run_id)
    assert (run.status, run.tag("projrun.reason"), warnings) == ("FAILED", recorded, [])


def test_an_end_without_a_reason_leaves_no_tags(store: SqlStore, warnings: list[str]) -> None:
    started = RunRecorder.start(store, DESCRIPTION, warnings.append)
    started.finish(RunEnd("FINISHED", 0, "", 2**42))
    run = store.get_run(started.run.run_id)
    assert (run.end_time, [tag for tag in run.tags if tag.key.startswith("projrun.")]) == (2**42, [])
    assert Tag("mlflow.user", "ada") in run.tags


def test_a_run_does_not_end_before_its_start(store: SqlStore, warnings: list[str]) -> None:
    started = RunRecorder.start(store, DESCRIPTION, warnings.append)
    begun = started.run.start_time
    assert started.run.duration is None
    assert started.finish(RunEnd("FINISHED", 0, "", begun - 3_600_000))  # the clock was set back by an hour
    ended = store.get_run(started.run.run_id)
    assert (ended.end_time, ended.duration) == (begun, 0)
    assert ended._replace(end_time=begun - 1).duration == 0, "recorded by another client"
