"""A continued run, in a real store: what is added, and that nothing which it has is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.running.record.continuation import has_source
from projrun.running.record.recorder import RunDescription, RunEnd, RunRecorder
from projrun.sources.checkout import Checkout
from projrun.tracking.entities import Param, Run, Tag
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store

THEIRS = {
    "mlflow.user": "ada",
    "mlflow.source.name": "driver.py",
    "mlflow.source.type": "LOCAL",
    "mlflow.parentRunId": "p" * 32,
    "own": "1",
}
OURS = RunDescription(
    None,
    None,
    None,
    None,
    {
        "mlflow.user": "grace",
        "mlflow.source.name": "file:///project",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.git.commit": "abc",
        "mlflow.parentRunId": "c" * 32,
        "mlflow.project.backend": "local",
        "mlflow.project.env": "uv",
        "projrun.source.dirty": "true",
        "own": "2",
        "empty": "",
    },
    (),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


@pytest.fixture
def warnings() -> list[str]:
    return []


def driver_run(store: SqlStore, tags: dict[str, str], *params: Param) -> Run:
    """A run as an mlflow client leaves it open."""
    run = store.create_run("0", start_time=1, run_name="child", tags=[Tag(*tag) for tag in tags.items()])
    store.log_batch(run.run_id, params=params)
    return run


def tags_of(run: Run) -> dict[str, str]:
    return {tag.key: tag.value for tag in run.tags if tag.key != "mlflow.runName"}


def test_only_what_is_missing_is_added(store: SqlStore, warnings: list[str]) -> None:
    run = driver_run(store, THEIRS)
    RunRecorder.start(store, OURS._replace(run_id=run.run_id), warnings.append)
    found = store.get_run(run.run_id)
    assert tags_of(found) == {**THEIRS, "mlflow.project.backend": "local", "mlflow.project.env": "uv"}
    assert (found.run_name, found.status, found.user_id) == ("child", "RUNNING", run.user_id)


def test_a_run_without_a_source_gets_it_and_no_parent(store: SqlStore, warnings: list[str]) -> None:
    run = driver_run(store, {})
    own = {"mlflow.parentRunId": run.run_id}  # the active run of the driver is the run itself
    description = OURS._replace(run_id=run.run_id, run_name="named", tags={**OURS.tags, **own})
    RunRecorder.start(store, description, warnings.append)
    found = store.get_run(run.run_id)
    expected = {key: value for key, value in OURS.tags.items() if value and key != "mlflow.parentRunId"}
    assert tags_of(found) == expected
    assert found.run_name == "named"


def test_params_that_mean_the_same_are_no_error(store: SqlStore, warnings: list[str]) -> None:
    run = driver_run(store, {}, Param("duration", "1.0"), Param("name", "a"), Param("alpha", "0.5"))
    given = (Param("duration", "1"), Param("name", "a"), Param("alpha", "0.7"), Param("new", "x"))
    RunRecorder.start(store, OURS._replace(run_id=run.run_id, params=given), warnings.append)
    params = {param.key: param.value for param in store.get_run(run.run_id).params}
    assert params == {"duration": "1.0", "name": "a", "alpha": "0.5", "new": "x"}
    assert warnings == ["parameter alpha is '0.7' now; the record of the run keeps '0.5'"]


def test_a_value_that_was_cut_is_not_compared(store: SqlStore, warnings: list[str]) -> None:
    long = OURS._replace(params=(Param("text", "x" * 9000),), experiment_id="0")
    first = RunRecorder.start(store, long, warnings.append)
    assert warnings.pop()
    RunRecorder.start(store, long._replace(run_id=first.run.run_id), warnings.append)
    assert warnings == []


def test_it_has_another_end(store: SqlStore, warnings: list[str]) -> None:
    first = RunRecorder.start(store, OURS._replace(experiment_id="0"), warnings.append)
    assert first.finish(RunEnd("FAILED", 3, "exit code 3", 9))
    again = RunRecorder.start(store, OURS._replace(run_id=first.run.run_id), warnings.append)
    assert store.get_run(first.run.run_id).status == "RUNNING"
    assert again.finish(RunEnd("FINISHED", 0, "", 2**42))
    found = store.get_run(first.run.run_id)
    assert (found.status, found.end_time, found.tag("projrun.reason")) == ("FINISHED", 2**42, None)
    last = RunRecorder.start(store, OURS._replace(run_id=first.run.run_id), warnings.append)
    assert last.finish(RunEnd("FAILED", 4, "exit code 4", 12))
    assert store.get_run(first.run.run_id).tag("projrun.exit_code") == "4"


def test_its_later_tags_and_artifacts_stay(store: SqlStore, warnings: list[str], tmp_path: Path) -> None:
    first = RunRecorder.start(store, OURS._replace(experiment_id="0"), warnings.append)
    first.tag({"mlflow.docker.image.uri": "one"})
    file = tmp_path / "log"
    for number in "12":
        again = RunRecorder.start(store, OURS._replace(run_id=first.run.run_id), warnings.append)
        again.tag({"mlflow.docker.image.uri": "two", "more": "x"})
        file.write_text(number)
        assert again.artifact(file, "logs/output.log")
        assert again.artifact(file, "environment/requirements.lock.txt")
    assert again.log_path == "logs/output-2.log"
    folder = again.artifact_folder()
    assert folder is not None
    texts = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.*")}
    assert texts == {
        "logs/output.log": "1",
        "logs/output-2.log": "2",
        "environment/requirements.lock.txt": "1",
        "environment/requirements-2.lock.txt": "2",
    }
    tags = tags_of(store.get_run(first.run.run_id))
    assert (tags["mlflow.docker.image.uri"], tags["more"]) == ("one", "x")
    assert warnings == []


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, True),
        ({"mlflow.source.name": "file:///p", "mlflow.source.git.commit": "abc"}, True),
        ({"mlflow.source.name": "file:///p", "mlflow.source.git.commit": "def"}, False),
        ({"mlflow.source.name": "driver.py"}, False),
        ({"projrun.source.patch": "complete"}, False),
    ],
)
def test_changes_are_recorded_once_and_for_their_own_source(
    store: SqlStore, tags: dict[str, str], expected: bool
) -> None:
    checkout = Checkout("file:///p", Path("/p"), Path("/p"), commit="abc")
    assert has_source(store.get_run(driver_run(store, tags).run_id), checkout) == expected


def test_runs_that_cannot_be_continued(store: SqlStore, warnings: list[str]) -> None:
    with pytest.raises(RequestError, match="has no run 'nothing'"):
        RunRecorder.start(store, OURS._replace(run_id="nothing"), warnings.append)
    run = driver_run(store, {})
    with closing(sqlite3.connect(store.uri.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
    with pytest.raises(RequestError, match="was deleted"):
        RunRecorder.start(store, OURS._replace(run_id=run.run_id), warnings.append)
