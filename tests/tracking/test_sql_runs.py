"""Runs in the SQL store, where the conformance kit does not say it already."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking import limits
from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.parts import part_of
from projrun.tracking.sql.names import generate_id, generate_run_name
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


@pytest.fixture
def run(store: SqlStore) -> Run:
    return store.create_run("0", run_name="first", start_time=5)


def test_uri_is_absolute(store: SqlStore, tmp_path: Path) -> None:
    assert store.uri == f"sqlite:///{tmp_path}/projrun.db"


def test_names_are_three_words() -> None:
    names = {generate_run_name() for _ in range(200)}
    assert all(re.fullmatch(r"[a-z]+-[a-z]+-\d{1,3}", name) for name in names)
    assert len(names) > 190


def test_ids_are_random_uuids() -> None:
    ids = {generate_id() for _ in range(200)}
    assert all(re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", value) for value in ids)
    assert len(ids) == 200


def test_name_may_come_as_a_tag(store: SqlStore) -> None:
    run = store.create_run("0", start_time=5, tags=[Tag("mlflow.runName", "tagged")])
    assert (run.run_name, run.tag("mlflow.runName")) == ("tagged", "tagged")


@pytest.mark.parametrize("name", ["", "mine", "m" * 9000])
def test_a_new_run_is_answered_as_it_is_kept(store: SqlStore, name: str) -> None:
    tags = [Tag("z", "1"), Tag("mlflow.runName", name), Tag("a", "2" * 9000), Tag("z", "3"), Tag("Z", "4")]
    run = store.create_run("0", run_name=name, user_id="me", start_time=0, tags=tags)
    assert run == store.get_run(run.run_id)
    assert len(run.tags) == 4


@pytest.mark.parametrize("names", [("second", "third"), ("third", "second", "first")])
def test_the_last_of_several_names_in_one_batch_wins(
    store: SqlStore, run: Run, names: tuple[str, ...]
) -> None:
    store.log_batch(run.run_id, tags=[Tag("mlflow.runName", name) for name in names])
    found = store.get_run(run.run_id)
    assert (found.run_name, found.tag("mlflow.runName")) == (names[-1], names[-1])


def test_two_names_are_refused(store: SqlStore) -> None:
    with pytest.raises(InvalidValueError, match="with different values"):
        store.create_run("0", run_name="a", start_time=5, tags=[Tag("mlflow.runName", "b")])
    assert store.search_runs(["0"]).runs == ()


def test_tag_of_the_name_renames(store: SqlStore, run: Run) -> None:
    store.set_tag(run.run_id, Tag("mlflow.runName", "second"))
    assert store.get_run(run.run_id).run_name == "second"
    assert store.update_run(run.run_id, run_name="third").tag("mlflow.runName") == "third"
    assert store.update_run(run.run_id, run_name="").run_name == "third"


def test_artifacts_of_a_run_lie_beside_the_store(store: SqlStore, run: Run, tmp_path: Path) -> None:
    assert run.artifact_uri == f"mlflow-artifacts:/0/{run.run_id}/artifacts"
    folder = store.artifact_directory(run.artifact_uri)
    assert folder == tmp_path / "artifacts" / "0" / run.run_id / "artifacts"
    (tmp_path / "log").write_text("hello")
    store.artifacts(run.artifact_uri).upload(tmp_path / "log", "logs/output.log")
    assert (folder / "logs" / "output.log").read_text() == "hello"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("s3://bucket/prefix/", "s3://bucket/prefix/RUN"),
        ("s3://bucket/prefix?region=eu", "s3://bucket/prefix/RUN?region=eu"),
        ("file:///data/runs", "file:///data/runs/RUN"),
        ("/data/my runs?", "/data/my runs?/RUN"),
    ],
)
def test_location_of_an_experiment_is_honoured(store: SqlStore, location: str, expected: str) -> None:
    experiment = store.create_experiment("elsewhere", location)
    run = store.create_run(experiment, start_time=5)
    assert store.get_experiment(experiment).artifact_location == location
    assert run.artifact_uri == expected.replace("RUN", f"{run.run_id}/artifacts")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("s3://bucket/" + "x" * 2037, "cannot be greater than 2048 characters"),
        ("s3://bucket/a#b", "can't include fragments"),
        ("s3://bucket/a?b=../c", "Invalid query string"),
    ],
)
def test_location_that_is_refused(store: SqlStore, location: str, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        store.create_experiment("elsewhere", location)
    assert store.get_experiment_by_name("elsewhere") is None


def test_time_before_all_times_is_refused(store: SqlStore, run: Run) -> None:
    with pytest.raises(InvalidValueError, match="Invalid value -1 for parameter 'timestamp'"):
        store.log_batch(run.run_id, metrics=[Metric("m", 1.0, -1)])


def test_local_location_is_used(store: SqlStore, tmp_path: Path) -> None:
    experiment = store.create_experiment("elsewhere", str(tmp_path / "my data"))
    run = store.create_run(experiment, start_time=5)
    (tmp_path / "file").write_text("x")
    store.artifacts(run.artifact_uri).upload(tmp_path / "file", "file")
    folder = tmp_path / "my data" / run.run_id / "artifacts"
    assert store.artifact_directory(run.artifact_uri) == folder
    assert (folder / "file").read_text() == "x"


@pytest.mark.parametrize(
    "uri",
    [
        "mlflow-artifacts:/../../etc",
        "mlflow-artifacts:/0/../../x",
        "mlflow-artifacts://other.server/0/x",
        "s3://bucket/x",
        "mlflow-artifacts:/C:/x",
    ],
)
def test_artifacts_elsewhere_are_no_folder_of_the_store(store: SqlStore, uri: str) -> None:
    with pytest.raises(InvalidValueError):
        store.artifact_directory(uri)


@pytest.mark.parametrize("identifier", ["abc", "1.0", "٣", "9" * 19, " 1"])
def test_experiment_id_that_is_none(store: SqlStore, identifier: str) -> None:
    with pytest.raises(InvalidValueError, match="Invalid experiment ID"):
        store.get_experiment(identifier)
    with pytest.raises(InvalidValueError, match="Invalid experiment ID"):
        store.search_runs([identifier])


@pytest.mark.parametrize(
    "key", ["", "a$b", "a\nb", "/a", "../a", "a/../b", "a//b", "a/", ".", "x" * 251, "a\0b", "ключ🚀"]
)
def test_key_that_is_refused(store: SqlStore, run: Run, key: str) -> None:
    with pytest.raises(InvalidValueError, match=r"for.* parameter|exceeds the maximum length"):
        store.log_batch(run.run_id, params=[Param(key, "1")])
    with pytest.raises(InvalidValueError, match=r"for.* parameter|exceeds the maximum length"):
        store.log_batch(run.run_id, metrics=[Metric(key, 1.0, 1)])
    with pytest.raises(InvalidValueError, match=r"for.* parameter|exceeds the maximum length"):
        store.set_tag(run.run_id, Tag(key, "1"))
    found = store.get_run(run.run_id)
    assert (found.params, found.metrics, found.tags) == (run.params, run.metrics, run.tags)


@pytest.mark.parametrize("key", ["a", "a.b", "a b", "a/b", "a-b_c:d", "ключ", "x" * 250, "1"])
def test_key_that_is_taken(store: SqlStore, run: Run, key: str) -> None:
    store.log_batch(run.run_id, params=[Param(key, "1")], metrics=[Metric(key, 1.0, 1)], tags=[Tag(key, "1")])
    found = store.get_run(run.run_id)
    assert (found.params[0].key, found.metrics[0].key, found.tag(key)) == (key, key, "1")


def test_batch_is_kept_whole_or_not_at_all(store: SqlStore, run: Run) -> None:
    store.log_batch(run.run_id, params=[Param("a", "1")])
    with pytest.raises(InvalidValueError, match="Changing param values is not allowed"):
        store.log_batch(run.run_id, params=[Param("b", "2"), Param("a", "other")], tags=[Tag("t", "1")])
    with pytest.raises(InvalidValueError, match="Duplicate parameter keys"):
        store.log_batch(run.run_id, params=[Param("c", "1"), Param("c", "1")])
    assert store.get_run(run.run_id).params == (Param("a", "1"),)
    assert store.get_run(run.run_id).tag("t") is None


def test_values_over_the_limit_are_cut(store: SqlStore, run: Run) -> None:
    store.log_batch(run.run_id, params=[Param("p", "x" * 6001)], tags=[Tag("t", "y" * 8001)])
    store.log_batch(run.run_id, params=[Param("p", "x" * 6001)])
    found = store.get_run(run.run_id)
    assert len(found.params[0].value) == store.param_value_limit() == 6000
    assert len(found.tag("t") or "") == 8000


def test_text_that_is_no_unicode_is_refused(store: SqlStore, run: Run) -> None:
    with pytest.raises(InvalidValueError, match="cannot be stored"):
        store.log_batch(run.run_id, params=[Param("p", "\udcff")])


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_metric_beyond_64_bits_is_refused(store: SqlStore, run: Run, value: int) -> None:
    for metric in (Metric("m", 1.0, timestamp=value), Metric("m", 1.0, 1, step=value)):
        with pytest.raises(InvalidValueError, match="64-bit"):
            store.log_batch(run.run_id, metrics=[metric])


def test_latest_metric_is_by_step_then_time_then_value(store: SqlStore, run: Run) -> None:
    logged = [(1, 50, 2.0), (3, 30, 1.0), (3, 30, 4.0), (3, 20, 9.0), (2, 99, 8.0)]
    for step, timestamp, value in logged:
        store.log_batch(run.run_id, metrics=[Metric("single", value, timestamp, step)])
    store.log_batch(run.run_id, metrics=[Metric("batch", value, time, step) for step, time, value in logged])
    latest = {
        metric.key: (metric.step, metric.timestamp, metric.value)
        for metric in store.get_run(run.run_id).metrics
    }
    assert latest == {"single": (3, 30, 4.0), "batch": (3, 30, 4.0)}


def test_history_is_by_time_then_step_then_value(store: SqlStore, run: Run) -> None:
    logged = [(3, 30, 1.0), (1, 50, 2.0), (2, 10, 3.0), (1, 50, 2.0), (9, 9, math.nan), (4, 4, math.inf)]
    for step, timestamp, value in logged:
        store.log_batch(run.run_id, metrics=[Metric("m", value, timestamp, step)])
    page = store.get_metric_history(run.run_id, "m")
    assert [metric.timestamp for metric in page.metrics] == [4, 9, 10, 30, 50]
    assert page.metrics[0].value == math.inf
    assert math.isnan(page.metrics[1].value)
    assert math.isnan(store.get_run(run.run_id).metrics[0].value)


@pytest.mark.parametrize("token", ["zzz", "é", "b2Zmc2V0Oi0x", "b2Zmc2V0OmFiYw==", "b2Zmc2V0Og=="])
def test_page_token_that_is_none(store: SqlStore, run: Run, token: str) -> None:
    with pytest.raises(InvalidValueError, match="Invalid page token"):
        store.get_metric_history(run.run_id, "m", page_token=token)
    with pytest.raises(InvalidValueError, match="Invalid page token"):
        store.search_runs(["0"], page_token=token)


@pytest.mark.parametrize("size", [0, -1, limits.SEARCH_RESULTS + 1])
def test_page_size_that_is_none(store: SqlStore, run: Run, size: int) -> None:
    with pytest.raises(InvalidValueError, match="max_results"):
        store.search_runs(["0"], max_results=size)
    with pytest.raises(InvalidValueError, match="max_results"):
        store.search_experiments(max_results=size)
    if size < 1:
        with pytest.raises(InvalidValueError, match="max_results"):
            store.get_metric_history(run.run_id, "m", max_results=size)


def test_deleted_run_takes_nothing(store: SqlStore, run: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "projrun.db")) as connection, connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
    for attempt in (
        lambda: store.log_batch(run.run_id, params=[Param("a", "1")]),
        lambda: store.set_tag(run.run_id, Tag("a", "1")),
        lambda: store.delete_tag(run.run_id, "mlflow.runName"),
        lambda: store.update_run(run.run_id, status="FAILED"),
        lambda: part_of(store, Inputs).log_inputs(run.run_id, []),
    ):
        with pytest.raises(InvalidValueError, match="must be in the 'active' state"):
            attempt()
    assert store.get_run(run.run_id).status == "RUNNING"


def test_deleted_experiment_takes_no_run(store: SqlStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "projrun.db")) as connection, connection:
        connection.execute("UPDATE experiments SET lifecycle_stage = 'deleted'")
    with pytest.raises(InvalidValueError, match="must be in the 'active' state"):
        store.create_run("0", start_time=5)
    with pytest.raises(InvalidValueError, match="must be in the 'active' state"):
        store.set_experiment_tag("0", Tag("a", "1"))


def test_tag_that_is_not_there_cannot_be_deleted(store: SqlStore, run: Run) -> None:
    with pytest.raises(NotFoundError, match="No tag with name"):
        store.delete_tag(run.run_id, "none")


def test_thousand_metrics_are_one_transaction(store: SqlStore, run: Run) -> None:
    with store._engine.reading() as connection:
        statements: list[str] = []
    assert isinstance(connection, sqlite3.Connection)
    connection.set_trace_callback(statements.append)
    store.log_batch(run.run_id, metrics=[Metric("m", float(n), n, n) for n in range(1000)])
    connection.set_trace_callback(None)
    assert [text for text in statements if text.startswith(("BEGIN", "COMMIT"))] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]


def test_search_asks_as_many_questions_for_many_runs_as_for_one(store: SqlStore) -> None:
    def count_statements() -> int:
        statements: list[str] = []
        with store._engine.reading() as connection:
            pass
        assert isinstance(connection, sqlite3.Connection)
        connection.set_trace_callback(statements.append)
        assert store.search_runs(["0"]).runs
        connection.set_trace_callback(None)
        return len(statements)

    def log_one() -> None:
        run = store.create_run("0", start_time=5)
        store.log_batch(run.run_id, metrics=[Metric("m", 1.0, 1)], params=[Param("p", "1")])

    log_one()
    for_one = count_statements()
    for _ in range(50):
        log_one()
    assert count_statements() == for_one


def test_empty_name_keeps_the_one_that_is_there(store: SqlStore, run: Run) -> None:
    store.set_tag(run.run_id, Tag("mlflow.runName", ""))
    found = store.get_run(run.run_id)
    assert (found.run_name, found.tag("mlflow.runName")) == (run.run_name, run.run_name)
