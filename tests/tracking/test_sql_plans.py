"""Searches of many runs: pages by every plan give the same rows, and the plans use their indexes."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType

import pytest

from projrun.errors import InvalidValueError, TrackingError
from projrun.tracking.search.pages import make_token
from projrun.tracking.sql import choices, plans
from projrun.tracking.sql.engine import Connection
from projrun.tracking.sql.search import Search, wanted_runs
from projrun.tracking.sql.store import SqlStore
from tests.support.examples import pairs
from tests.support.searches import FILTERS, ORDERS, RUNS, expected, fill, pages
from tests.support.stores import new_store, statements

pytestmark = pytest.mark.together("many runs")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """Runs of two experiments with few different values, many of them missing."""
    with closing(SqlStore.open(tmp_path_factory.mktemp("store") / "projrun.db")) as store:
        fill(store)
        yield store


def in_order(connection: Connection, wanted: choices.Wanted) -> choices.Choice:
    return choices.Choice(None, wanted.comparisons)


WRONG: list[list[object]] = [[1], [0, "a", 1, 1], [0, 1.0, 1], [2**63] * 4]


@pytest.mark.parametrize("counted", [5, 2000])
@pytest.mark.parametrize("experiments", [["0"], ["0", "1"]])
def test_pages_are_those_of_a_plain_sort(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, counted: int, experiments: list[str]
) -> None:
    monkeypatch.setattr(choices, "COUNTED", counted)
    runs = [store.get_run(run) for run in pages(store, experiments, "", (), 1000)]
    assert len(runs) == (RUNS if len(experiments) == 2 else RUNS * 3 // 4)
    for (text, keep), order in pairs(FILTERS, ORDERS):
        assert pages(store, experiments, text, order, 9) == expected(runs, keep, order), (text, order)


@pytest.mark.parametrize("order", ORDERS)
def test_walking_in_order_gives_the_same_pages(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, order: Sequence[str]
) -> None:
    whole = [pages(store, ["0", "1"], text, order, 1000) for text, _ in FILTERS]
    monkeypatch.setattr(plans, "choose", in_order)
    assert [pages(store, ["0", "1"], text, order, 4) for text, _ in FILTERS] == whole


def explained(store: SqlStore, text: str, order: Sequence[str], experiments: Sequence[str] = ("0",)) -> str:
    """SQLite's plan for a search, without the lines on counting."""
    seen = statements(store, lambda: store.search_runs(experiments, filter_string=text, order_by=order))
    (statement, *_) = [each for each in seen if each.startswith("SELECT runs.id")]
    raw = store._engine._connection  # type: ignore[attr-defined]
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
    monkeypatch.setattr(plans, "choose", in_order)
    plan = explained(store, text, order)
    assert index in plan.splitlines()[0]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


def test_many_experiments_are_read_by_time(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "choose", in_order)
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

    def by_filter(connection: Connection, wanted: choices.Wanted) -> choices.Choice:
        source = choices._source(connection, comparison)
        assert source
        decided = choices._with_runs(source)._replace(decided=wanted.comparisons[0])
        return choices.Choice(decided, wanted.comparisons)

    monkeypatch.setattr(plans, "choose", by_filter)
    assert index in explained(store, text, ("metrics.size ASC",)).splitlines()[0]


def test_a_rare_value_is_found_by_its_filter_and_a_frequent_one_in_order(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "COUNTED", 40)
    search = Search("params.kind = 'a'", 1, ("metrics.loss ASC",))
    with store._engine.reading() as connection:
        rare = choices.choose(
            connection, wanted_runs(["0", "1"], "ACTIVE_ONLY", search._replace(max_results=50))
        )
        frequent = choices.choose(connection, wanted_runs(["0", "1"], "ACTIVE_ONLY", search))
    assert rare.source
    assert rare.source.tables.startswith("params")
    assert frequent.source is None


MANY = 6_000
STEPS = 400


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """Many runs of few different values."""
    with closing(SqlStore.open(tmp_path_factory.mktemp("many") / "projrun.db")) as store:
        other = store.create_experiment("other")
        runs = [
            (key, f"{key:032x}", "0" if key % 7 else other, f"run-{key}", key * 1000)
            for key in range(1, MANY + 1)
        ]
        params = [(key, "model", "abc"[key % 3]) for key in range(1, MANY + 1)]
        params += [(key, "seed", str(key)) for key in range(1, MANY + 1)]
        value = random.Random(5).random
        values = [(key, name, value()) for key in range(1, MANY + 1) for name in ("acc", "loss")]
        with store._engine.writing() as connection:
            connection.executemany(
                "INSERT INTO runs (id, run_id, experiment_id, run_name, user_id, status, start_time, end_time,"
                " artifact_uri) VALUES (?, ?, ?, ?, 'me', 'FINISHED', ?, 1, '')",
                runs,
            )
            connection.executemany("INSERT INTO params (run, key, value) VALUES (?, ?, ?)", params)
            connection.executemany(
                "INSERT INTO series (run, key, value, model_id, dataset_name, dataset_digest, step, timestamp, is_nan,"
                " latest, ordered) VALUES (?, ?, ?, '', '', '', 1, 1, 0, 1, 1)",
                values,
            )
        yield store


def steps(store: SqlStore, text: str, order: Sequence[str], token: str = "") -> tuple[float, str]:
    """Hundreds of steps of SQLite's machine for a page of 10 runs, and the next page's token."""
    raw, counted = store._engine._connection, [0]  # type: ignore[attr-defined]

    def count() -> None:
        counted[0] += 1

    raw.set_progress_handler(count, 100)
    try:
        page = store.search_runs(["0"], filter_string=text, order_by=order, max_results=10, page_token=token)
    finally:
        raw.set_progress_handler(None, 0)
    return counted[0], page.next_page_token


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", ("params.model ASC",)),
        ("", ("params.model DESC", "metrics.loss ASC")),
        ("", ("attributes.status ASC",)),
        ("params.model = 'a' AND metrics.loss < 0.5", ("metrics.acc DESC",)),
        ("params.model != 'a'", ("metrics.acc DESC",)),
        ("attributes.run_name LIKE 'run-59%'", ("metrics.loss ASC",)),
        ("params.seed LIKE '59%' AND params.model = 'a'", ("metrics.loss ASC",)),
        ("metrics.loss < 0.01", ("params.model ASC",)),
    ],
)
def test_a_page_of_many_runs_looks_at_few(
    many: SqlStore, monkeypatch: pytest.MonkeyPatch, text: str, order: Sequence[str]
) -> None:
    monkeypatch.setattr(choices, "COUNTED", 200)
    token = ""
    for _ in range(3):
        taken, token = steps(many, text, order, token)
        assert taken < STEPS
        if not token:
            break


@pytest.mark.parametrize("times", [1, 5, 12])
def test_removed_runs_do_not_change_the_plan(
    many: SqlStore, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """With gaps in the keys, 200 of them would be those of a few runs, which tell little of the others."""
    monkeypatch.setattr(choices, "COUNTED", 200)
    search = Search("params.model = 'a' AND metrics.loss < 0.3", 10, ("metrics.acc DESC",))
    with pytest.raises(TrackingError, match="undone"), many._engine.writing() as connection:
        sources = []
        for last in range(MANY * times, MANY * times + 20):
            connection.execute(
                "INSERT INTO runs (id, run_id, experiment_id, run_name, user_id, status, start_time, artifact_uri)"
                " VALUES (?, ?, 0, '', '', 'RUNNING', 1, '')",
                (last + 1, f"late-{last}"),
            )
            sources.append(choices.choose(connection, wanted_runs(["0"], "ACTIVE_ONLY", search)).source)
        assert not any(sources)
        raise TrackingError("undone")


def test_a_page_of_many_runs_takes_few_statements(many: SqlStore) -> None:
    """What is known of some runs is asked once: PostgreSQL is far away."""
    text, order = "params.model = 'a' AND metrics.loss < 0.3", ["metrics.acc DESC"]
    seen = statements(
        many, lambda: many.search_runs(["0"], filter_string=text, order_by=order, max_results=10)
    )
    assert len(seen) == 9, seen  # here params and tags have statements of their own


@pytest.mark.parametrize("token", ["x", "é", *[make_token(position) for position in WRONG]])
def test_wrong_token_is_refused(store: SqlStore, token: str) -> None:
    with pytest.raises(InvalidValueError, match="page token"):
        store.search_runs(["0"], order_by=["metrics.loss"], max_results=1, page_token=token)


def test_pages_do_not_move_when_runs_come(tmp_path: Path) -> None:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
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


def test_values_of_a_page_are_made_without_calls_of_their_own(many: SqlStore) -> None:
    """100 runs with 400 values take 1,100 calls of Python's functions; with a call or two for each value, 2,000."""
    calls = [0]

    def count(frame: FrameType, event: str, argument: object) -> None:
        calls[0] += event == "call"

    many.search_runs(["0"], max_results=100)  # what is imported is imported
    sys.setprofile(count)
    try:
        page = many.search_runs(["0"], max_results=100)
    finally:
        sys.setprofile(None)
    assert sum(len(run.params) + len(run.metrics) for run in page.runs) == 400
    assert calls[0] < 1300
