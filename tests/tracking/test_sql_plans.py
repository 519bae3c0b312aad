"""Searches of many runs: pages by every plan give the same rows, and the plans use their indexes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.search.pages import make_token
from projrun.tracking.sql import plans
from projrun.tracking.sql.engine import Connection
from projrun.tracking.sql.search import Search, wanted_runs
from projrun.tracking.sql.store import SqlStore

RUNS = 60
VALUES = [0.1, 0.5, 0.5, 2.0, math.inf, -math.inf, math.nan, None]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """Runs of two experiments with few different values, many of them missing."""
    choice = random.Random(3).choice
    with closing(SqlStore.open(tmp_path_factory.mktemp("store") / "projrun.db")) as store:
        other = store.create_experiment("other")
        for number in range(RUNS):
            experiment = other if number % 4 == 0 else "0"
            run = store.create_run(experiment, start_time=number // 3, run_name=choice("pqr"))
            loss, text = choice(VALUES), choice(["a", "b", "b" * 300, None])
            metrics = [] if loss is None else [Metric("loss", loss, 1), Metric("size", number % 7, 1)]
            params = [] if text is None else [Param("kind", text)]
            store.log_batch(run.run_id, metrics=metrics, params=params, tags=[Tag("team", choice("xyz"))])
            if number % 5:
                store.update_run(run.run_id, status=choice(["FINISHED", "FAILED"]), end_time=number % 4)
        yield store


def value_of(run: Run, field: str) -> float | str | None:
    entity, _, key = field.partition(".")
    if entity == "metrics":
        return next((metric.value for metric in run.metrics if metric.key == key), None)
    if entity == "attributes":
        return getattr(run, key)  # type: ignore[no-any-return]
    pairs = {**dict(run.params), **dict(run.tags)}
    return pairs.get(key)


def expected(runs: Sequence[Run], keep: Callable[[Run], bool], order: Sequence[str]) -> list[str]:
    """As MLflow sorts: what is missing last, NaN before it, then as the runs are given."""
    found = list(runs)
    for text in reversed(order):
        field, _, direction = text.partition(" ")

        def rank(run: Run, field: str = field) -> int:
            value = value_of(run, field)
            return 2 if value is None else int(isinstance(value, float) and math.isnan(value))

        def present(run: Run, field: str = field) -> float | str:
            return value_of(run, field)  # type: ignore[return-value]

        with_value = sorted((run for run in found if not rank(run)), key=present, reverse=direction == "DESC")
        found = with_value + [run for number in (1, 2) for run in found if rank(run) == number]
    return [run.run_id for run in found if keep(run)]


def pages(
    store: SqlStore, experiments: Sequence[str], text: str, order: Sequence[str], size: int
) -> list[str]:
    found: list[str] = []
    token = ""
    while True:
        page = store.search_runs(
            experiments, filter_string=text, order_by=order, max_results=size, page_token=token
        )
        found += [run.run_id for run in page.runs]
        token = page.next_page_token
        if not token:
            return found


def number(run: Run, field: str) -> float:
    value = value_of(run, field)
    return math.nan if value is None else float(value)


FILTERS: list[tuple[str, Callable[[Run], bool]]] = [
    ("", lambda run: True),
    ("metrics.loss < 1", lambda run: number(run, "metrics.loss") < 1),
    ("metrics.loss >= 0.5 AND params.kind = 'a'",
     lambda run: number(run, "metrics.loss") >= 0.5 and value_of(run, "params.kind") == "a"),
    (f"params.kind = '{'b' * 300}'", lambda run: value_of(run, "params.kind") == "b" * 300),
    ("tags.team != 'x' AND attributes.status = 'FAILED'",
     lambda run: value_of(run, "tags.team") != "x" and run.status == "FAILED"),
    ("attributes.run_name = 'p' AND metrics.size > 2",
     lambda run: run.run_name == "p" and number(run, "metrics.size") > 2),
    ("params.kind IS NULL", lambda run: value_of(run, "params.kind") is None),
]  # fmt: skip
ORDERS = [
    (), ("metrics.loss ASC",), ("metrics.loss DESC",), ("params.kind ASC", "metrics.loss DESC"), ("tags.team DESC",),
    ("attributes.end_time ASC",), ("attributes.end_time DESC", "metrics.size ASC"), ("attributes.start_time ASC",),
    ("attributes.run_name DESC", "tags.team ASC"), ("metrics.absent ASC", "metrics.size DESC"),
]  # fmt: skip

WRONG: list[list[object]] = [[1], [0, "a", 1, 1], [0, 1.0, 1], [2**63] * 4]


@pytest.mark.parametrize("counted", [1, 5, 2000])
@pytest.mark.parametrize("experiments", [["0"], ["0", "1"]])
def test_pages_are_those_of_a_plain_sort(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, counted: int, experiments: list[str]
) -> None:
    monkeypatch.setattr(plans, "COUNTED", counted)
    runs = [store.get_run(run) for run in pages(store, experiments, "", (), 1000)]
    assert len(runs) == (RUNS if len(experiments) == 2 else RUNS * 3 // 4)
    for text, keep in FILTERS:
        for order in ORDERS:
            assert pages(store, experiments, text, order, 7) == expected(runs, keep, order), (text, order)


@pytest.mark.parametrize("order", ORDERS)
def test_walking_in_order_gives_the_same_pages(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, order: Sequence[str]
) -> None:
    whole = [pages(store, ["0", "1"], text, order, 1000) for text, _ in FILTERS]
    monkeypatch.setattr(plans, "choose", lambda connection, wanted: None)
    assert [pages(store, ["0", "1"], text, order, 4) for text, _ in FILTERS] == whole


def explained(store: SqlStore, text: str, order: Sequence[str], experiments: Sequence[str] = ("0",)) -> str:
    """SQLite's plan for a search, without the lines on counting."""
    seen: list[str] = []
    raw = store._engine._connection  # type: ignore[attr-defined]
    raw.set_trace_callback(seen.append)
    try:
        store.search_runs(experiments, filter_string=text, order_by=order)
    finally:
        raw.set_trace_callback(None)
    (statement, *_) = [each for each in seen if each.startswith("SELECT runs.id")]
    return "\n".join(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}"))


@pytest.mark.parametrize(
    ("text", "order", "index"),
    [
        ("", (), "runs_by_experiment (experiment_id=?)"),
        ("", ("metrics.loss DESC",), "series_by_value (key=? AND is_nan=?)"),
        ("metrics.loss > 0.1", ("metrics.loss DESC",), "series_by_value (key=? AND is_nan=? AND value>?)"),
        ("metrics.size = 1", ("params.kind ASC",), "params_by_value (key=?)"),
        ("", ("attributes.end_time ASC",), "runs_by_end (end_time>?)"),
    ],
)
def test_walking_in_order_uses_its_index(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, text: str, order: Sequence[str], index: str
) -> None:
    monkeypatch.setattr(plans, "choose", lambda connection, wanted: None)
    plan = explained(store, text, order)
    assert index in plan.splitlines()[0]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


def test_many_experiments_are_read_by_time(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "choose", lambda connection, wanted: None)
    plan = explained(store, "", (), ("0", "1"))
    assert "runs_by_start" in plan
    assert "B-TREE" not in plan


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("params.kind = 'a'", "params_by_value (key=? AND <expr>=?)"),
        ("tags.team = 'x'", "tags_by_value (key=? AND <expr>=?)"),
        ("metrics.loss < 0.2", "series_by_value (key=? AND is_nan=? AND value<?)"),
        ("attributes.status = 'FAILED'", "runs_by_status (status=?)"),
        ("attributes.run_name = 'p'", "runs_by_name (<expr>=?)"),
        ("attributes.end_time > 1", "runs_by_end (end_time>?)"),
    ],
)
def test_a_filter_uses_its_index(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, text: str, index: str
) -> None:
    (comparison,) = wanted_runs(["0"], "ACTIVE_ONLY", Search(text)).comparisons

    def by_filter(connection: Connection, wanted: plans.Wanted) -> plans.Source:
        source = plans._source(connection, comparison)
        assert source
        return plans._with_runs(source)._replace(decided=wanted.comparisons[0])

    monkeypatch.setattr(plans, "choose", by_filter)
    assert index in explained(store, text, ("metrics.size ASC",)).splitlines()[0]


def test_a_rare_value_is_found_by_its_filter_and_a_frequent_one_in_order(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "COUNTED", 40)
    search = Search("params.kind = 'a'", 1, ("metrics.loss ASC",))
    with store._engine.reading() as connection:
        rare = plans.choose(
            connection, wanted_runs(["0", "1"], "ACTIVE_ONLY", search._replace(max_results=50))
        )
        frequent = plans.choose(connection, wanted_runs(["0", "1"], "ACTIVE_ONLY", search))
    assert rare
    assert rare.tables.startswith("params")
    assert frequent is None


@pytest.mark.parametrize("token", ["x", "é", *[make_token(position) for position in WRONG]])
def test_wrong_token_is_refused(store: SqlStore, token: str) -> None:
    with pytest.raises(InvalidValueError, match="page token"):
        store.search_runs(["0"], order_by=["metrics.loss"], max_results=1, page_token=token)


def test_pages_do_not_move_when_runs_come(tmp_path: Path) -> None:
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        made = [store.create_run("0", start_time=number).run_id for number in range(1, 5)]
        first = store.search_runs(["0"], max_results=2)
        store.create_run("0", start_time=9)
        second = store.search_runs(["0"], max_results=9, page_token=first.next_page_token)
    assert [run.run_id for run in (*first.runs, *second.runs)] == made[::-1]


def test_a_thousand_experiments_and_a_filter_of_a_hundred_kilobytes(store: SqlStore) -> None:
    wanted = [run.run_id for run in store.search_runs(["0"], max_results=3).runs]
    ids = ", ".join(f"'{run_id}'" for run_id in [*wanted, *(f"{number:032x}" for number in range(4000))])
    assert len(ids) > 100_000
    numbers = [str(number) for number in range(1000)]
    found = store.search_runs(numbers, filter_string=f"attributes.run_id IN ({ids})").runs
    assert [run.run_id for run in found] == wanted
    others = store.search_runs(numbers, filter_string=f"attributes.run_id NOT IN ({ids})").runs
    assert len(others) == RUNS - 3
