"""Metrics as series of points: their size, their order, what an older store becomes."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.directories import JOURNAL
from projrun.errors import InvalidValueError
from projrun.journal import changes
from projrun.journal.journal import Journal
from projrun.tracking.entities import Metric
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.sql.migrations import MIGRATIONS
from projrun.tracking.sql.sqlite import SqliteEngine
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store

OLD_METRICS = [
    # key, timestamp, step, value, is_nan, dataset_name, dataset_digest, model_id
    ("loss", 10, 0, 0.5, 0, None, None, None),
    ("loss", 20, 1, 0.25, 0, None, None, None),
    ("loss", 20, 1, 0.0, 1, None, None, None),
    ("acc", 5, 3, math.inf, 0, "wine", "abc", "m-1"),
    ("acc", 6, 2, 7.0, 0, None, None, None),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


@pytest.fixture
def run_id(store: SqlStore) -> str:
    return store.create_run("0", start_time=1).run_id


def old_store(file: Path) -> None:
    """As the first version of projrun left it, with a run `r` that logged OLD_METRICS."""
    columns = "run, key, timestamp, step, value, is_nan, dataset_name, dataset_digest, model_id"
    with (
        closing(SqliteEngine.open(file, migrations=MIGRATIONS[:1])) as engine,
        engine.writing() as connection,
    ):
        connection.execute(
            "INSERT INTO runs (id, run_id, experiment_id, run_name, user_id, status, start_time, artifact_uri)"
            " VALUES (7, 'r', 0, 'old', 'ann', 'RUNNING', 1, 'mlflow-artifacts:/0/r/artifacts')"
        )
        connection.execute(
            "INSERT INTO logged_models VALUES ('m-1', 0, 'model', 'mlflow-artifacts:/0/m', 1, 1, 'READY', '', 'r')"
        )
        rows = [(7, *row) for row in OLD_METRICS]
        insert = f"INSERT INTO {{}} ({columns}) VALUES ({', '.join('?' * 9)})"
        connection.executemany(insert.format("metrics"), rows)
        connection.executemany(insert.format("latest_metrics"), [rows[1], rows[3]])
        connection.executemany(insert.format("logged_model_metrics"), [rows[3]])


def seen(metrics: tuple[Metric, ...]) -> list[tuple[int, int, str]]:
    return [(metric.timestamp, metric.step, str(metric.value)) for metric in metrics]


def test_older_store_is_upgraded_with_its_metrics(tmp_path: Path) -> None:
    file = tmp_path / "projrun.db"
    old_store(file)
    with closing(SqlStore.open(file)) as store:
        assert seen(store.get_metric_history("r", "loss").metrics) == [
            (10, 0, "0.5"), (20, 1, "nan"), (20, 1, "0.25"),
        ]  # fmt: skip
        latest = {metric.key: metric for metric in store.get_run("r").metrics}
        assert latest["loss"] == Metric("loss", 0.25, 20, 1, run_id="r")
        assert latest["acc"] == Metric("acc", math.inf, 5, 3, "wine", "abc", "m-1", "r")
        assert len(store.get_run("r").metrics) == 2
        store.log_batch("r", metrics=[Metric("loss", 0.125, 30, 2), Metric("loss", 0.5, 10, 0)])
        assert [metric.value for metric in store.get_run("r").metrics if metric.key == "loss"] == [0.125]
        assert len(store.get_metric_history("r", "loss").metrics) == 4


def test_journal_of_an_older_projrun_goes_on(tmp_path: Path) -> None:
    """The trigger on the table that metrics were in goes with it."""
    old_store(tmp_path / JOURNAL)
    engine = SqliteEngine.open(tmp_path / JOURNAL, migrations=MIGRATIONS[:1])
    with closing(engine), engine.writing() as connection:
        for statement in changes.SCHEMA:
            if "journal_point" not in statement:
                connection.execute(statement)
        connection.execute(
            "CREATE TRIGGER journal_metric AFTER INSERT ON metrics BEGIN"
            " INSERT INTO journal_changes (run, kind, key) VALUES (NEW.run, 'metric', NEW.key); END"
        )
        connection.execute("INSERT INTO journal_changes (run, kind, key, value) VALUES (7, 'tag', 'a', 'b')")
    with Journal(tmp_path) as journal:
        assert journal.count() == 1
        journal.store.log_batch(
            "r", metrics=[Metric("loss", 0.125, 30, 2), Metric("acc", 1.0, 9, 9, "d", "e", "m-1")]
        )
        waiting = journal.changes(journal.held()[0], 10)
        assert [change.metric() for change in waiting[1:]] == [
            Metric("loss", 0.125, 30, 2), Metric("acc", 1.0, 9, 9, "d", "e", "m-1"),
        ]  # fmt: skip


def test_a_value_is_kept_once_and_a_nan_beside_a_zero(store: SqlStore, run_id: str) -> None:
    values = [0.0, math.nan, math.inf, -math.inf, 0.0, math.nan, 5]
    store.log_batch(run_id, metrics=[Metric("loss", value, 1, 1) for value in values])
    store.log_batch(run_id, metrics=[Metric("loss", value, 1, 1) for value in values])
    found = store.get_metric_history(run_id, "loss").metrics
    assert [str(metric.value) for metric in found] == ["-inf", "0.0", "nan", "5.0", "inf"]
    assert store.get_run(run_id).metrics[0].value == math.inf


def test_history_is_by_time_also_where_steps_go_back(store: SqlStore, run_id: str) -> None:
    logged = [Metric("loss", float(number), 1000 - number // 3, number) for number in range(50)]
    random.Random(1).shuffle(logged)
    for start in range(0, 50, 7):
        store.log_batch(run_id, metrics=logged[start : start + 7])
    expected = sorted((metric.timestamp, metric.step, str(metric.value)) for metric in logged)
    found: list[tuple[int, int, str]] = []
    token = ""
    while len(found) < 50:
        page = store.get_metric_history(run_id, "loss", max_results=9, page_token=token)
        found += seen(page.metrics)
        token = page.next_page_token
    assert (found, token) == (expected, "")


def test_pages_of_a_history_do_not_move_when_more_is_logged(store: SqlStore, run_id: str) -> None:
    store.log_batch(run_id, metrics=[Metric("loss", float(step), 100 + step, step) for step in range(4)])
    first = store.get_metric_history(run_id, "loss", max_results=2)
    store.log_batch(run_id, metrics=[Metric("loss", 9.0, 1, 0), Metric("loss", 9.0, 200, 9)])
    second = store.get_metric_history(run_id, "loss", max_results=9, page_token=first.next_page_token)
    assert [metric.step for metric in (*first.metrics, *second.metrics)] == [0, 1, 2, 3, 9]


@pytest.mark.parametrize(
    "token", ["x", "bnVsbA==", "WzFd", "WzEsMiwzLCJhIl0=", "é", "WzEwMDAwMDAwMDAwMDAwMDAwMDAwLDEsMSwxXQ=="]
)
def test_wrong_token_is_refused(store: SqlStore, run_id: str, token: str) -> None:
    with pytest.raises(InvalidValueError, match="page token"):
        store.get_metric_history(run_id, "loss", max_results=2, page_token=token)


def test_the_latest_of_a_run_is_that_of_all_its_models(store: SqlStore, run_id: str) -> None:
    models = [part_of(store, LoggedModels).create_logged_model("0", name=name).model_id for name in "ab"]
    store.log_batch(run_id, metrics=[Metric("acc", 0.5, 1, 5, model_id=models[0])])
    store.log_batch(run_id, metrics=[Metric("acc", 0.5, 1, 5, model_id=models[1]), Metric("acc", 0.7, 1, 2)])
    assert [metric.value for metric in store.get_run(run_id).metrics] == [0.5]
    store.log_batch(run_id, metrics=[Metric("acc", 0.1, 2, 5, model_id=models[1])])
    assert store.get_run(run_id).metrics == (Metric("acc", 0.1, 2, 5, model_id=models[1], run_id=run_id),)
    assert [run.run_id for run in store.search_runs(["0"], filter_string="metrics.acc < 0.2").runs] == [
        run_id
    ]
    assert not store.search_runs(["0"], filter_string="metrics.acc > 0.2").runs
    # What was logged for two models is one value of the run, as in MLflow.
    assert len(store.get_metric_history(run_id, "acc").metrics) == 3
    assert [len(part_of(store, LoggedModels).get_logged_model(model).metrics) for model in models] == [1, 2]


def test_a_point_takes_at_most_35_bytes(store: SqlStore, run_id: str) -> None:
    """By hand with 10,000,000: 30 bytes each."""
    with store._engine.reading() as connection:
        (empty,) = connection.execute("PRAGMA page_count").fetchone()
    random_of = random.Random(1).random
    began = int(time.time() * 1000)
    points = 40_000
    for start in range(0, points, 2000):
        steps = range(start // 4, (start + 2000) // 4)
        store.log_batch(
            run_id,
            metrics=[
                Metric(f"loss {key}", random_of(), began + step, step) for step in steps for key in range(4)
            ],
        )
    with store._engine.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (kept,) = connection.execute("SELECT count(*) FROM points").fetchone()
    assert kept == points
    assert (pages - empty) * 4096 / points <= 35
