"""Tables of runs in a database: extremes of metrics, kept as they are logged; many rows and columns at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from math import nan
from pathlib import Path

import pytest

from projrun.tracking.entities import Metric, Param
from projrun.tracking.parts import part_of
from projrun.tracking.sql.migrations import MIGRATIONS
from projrun.tracking.sql.sqlite import SqliteEngine
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.sql.tables import cells, columns
from projrun.tracking.tables import Column, Selection, Tables

EXTREMES = (Column("metric", "m", "min"), Column("metric", "m", "max"))


def extremes(store: SqlStore, run_id: str) -> list[object]:
    """The least and the greatest of a run's metric `m`."""
    tables = part_of(store, Tables)
    return [column[0] for column in tables.read_rows(["0"], tables.rows_of([run_id]), EXTREMES).columns]


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        ([[(1, 2.0)]], [2.0, 2.0]),
        ([[(1, 2.0)], [(2, 5.0)], [(3, -1.0)], [(4, 3.0)]], [-1.0, 5.0]),
        ([[(5, 2.0)], [(1, 9.0)], [(2, -9.0)]], [-9.0, 9.0]),
        ([[(1, nan)]], [None, None]),
        ([[(1, nan)], [(2, 1.0)], [(3, nan)]], [1.0, 1.0]),
        ([[(3, 1.0), (2, 7.0), (1, nan)]], [1.0, 7.0]),
    ],
)
def test_extremes_are_kept_in_any_order(
    tmp_path: Path, logged: list[list[tuple[int, float]]], expected: list[object]
) -> None:
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        run = store.create_run("0", start_time=1).run_id
        for batch in logged:
            store.log_batch(run, metrics=[Metric("m", value, step, step) for step, value in batch])
        assert extremes(store, run) == expected


def test_an_older_store_has_them_after_its_upgrade(tmp_path: Path) -> None:
    file = tmp_path / "projrun.db"
    with (
        closing(SqliteEngine.open(file, migrations=MIGRATIONS[:7])) as engine,
        engine.writing() as connection,
    ):
        connection.execute(
            "INSERT INTO runs (id, run_id, experiment_id, run_name, user_id, status, start_time, artifact_uri)"
            " VALUES (1, 'old', 0, '', '', 'FINISHED', 1, '')"
        )
        connection.execute(
            "INSERT INTO series (id, run, key, model_id, dataset_name, dataset_digest, step, timestamp, value, is_nan,"
            " latest, ordered) VALUES (1, 1, 'm', '', '', '', 3, 3, 2.0, 0, 1, 1)"
        )
        points = [(1, 1, 8.0, 0), (2, 2, 0.0, 1), (3, 3, 2.0, 0)]
        connection.executemany("INSERT INTO points VALUES (1, ?, ?, ?, ?)", points)
    with closing(SqlStore.open(file)) as store:
        assert extremes(store, "old") == [2.0, 8.0]


def test_many_rows_are_read_by_column_as_few_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        tables = part_of(store, Tables)
        for number in range(20):
            run = store.create_run("0", start_time=number + 1)
            metrics = [Metric("m", nan if number == 3 else float(number), 1, 0)] if number != 5 else []
            store.log_batch(run.run_id, metrics=metrics, params=[Param("p", str(number % 4))])
        rows = tables.find_rows(Selection(["0"])).rows
        wanted = [*EXTREMES, Column("metric", "m"), Column("param", "p"), Column("attribute", "start_time")]
        one_by_one = tables.read_rows(["0"], rows, wanted)
        monkeypatch.setattr(cells, "_FEW", 1)
        assert str(tables.read_rows(["0"], rows, wanted)) == str(one_by_one)


def test_columns_of_many_runs_are_those_of_some_and_the_rare_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_FEWEST", 4)
    monkeypatch.setattr(columns, "_MOST", 4)
    other = [Param("elsewhere", "x")]
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        store.log_batch(store.create_run(store.create_experiment("e"), start_time=1).run_id, params=other)
        for number in range(30):
            params = [Param("same", "1"), Param("nearly", "2" if number == 8 else "1")]
            params += [Param("rare", "x")] if number == 7 else []
            store.log_batch(store.create_run("0", start_time=number + 1).run_id, params=params)
        known = part_of(store, Tables).known_columns(Selection(["0"]))
    assert (known.total, known.looked_at) == (30, 4)
    found = [column[1:] for column in known.columns if column.kind == "param"]
    assert found == [("nearly", 4, True), ("rare", 1, True), ("same", 4, False)]


def plan(store: SqlStore, call: Callable[[Tables], object], part: str) -> str:
    """How SQLite begins with the statement of a call that has this part."""
    seen: list[str] = []
    raw = store._engine._connection  # type: ignore[attr-defined]
    raw.set_trace_callback(seen.append)
    call(part_of(store, Tables))
    raw.set_trace_callback(None)
    (statement,) = [each for each in seen if part in each]
    return str(raw.execute(f"EXPLAIN QUERY PLAN {statement}").fetchone()[3])


def test_rows_are_found_without_reading_each(tmp_path: Path) -> None:
    """A run's row is larger than all that an index has of it, and there are a hundred thousand."""
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        all_rows = plan(store, lambda tables: tables.find_rows(Selection(["0"])), "ORDER BY start_time")
        parents = plan(store, lambda tables: tables.parents(["0"]), "parentRunId")
    assert "USING COVERING INDEX runs_by_experiment" in all_rows
    assert "tags_by_value (key=?)" in parents
