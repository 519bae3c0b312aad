"""Searches: the grammar alone, then what it finds, against a plain reading of the same conditions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Dataset, Metric, Param, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.search.grammar import (
    EXPERIMENTS,
    LOGGED_MODELS,
    RUNS,
    TRACES,
    Searchable,
    parse_filter,
    parse_ordering,
)
from projrun.tracking.sql.store import SqlStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """Three runs: one with everything, one with little, one with a NaN."""
    with closing(SqlStore.open(tmp_path_factory.mktemp("store") / "projrun.db")) as store:
        rich = store.create_run("0", run_name="rich", user_id="ann", start_time=100)
        store.log_batch(
            rich.run_id,
            metrics=[Metric("rmse", 0.5, 1), Metric("val loss", 2.0, 1), Metric("acc.1", 9.0, 1)],
            params=[Param("alpha", "0.5"), Param("mode", "It's *new* [x]"), Param("empty", "")],
            tags=[Tag("mlflow.source.name", "train.py"), Tag("team", "red")],
        )
        store.update_run(rich.run_id, status="FINISHED", end_time=200)
        part_of(store, Inputs).log_inputs(
            rich.run_id,
            [Dataset("wine", "abc", "local", "x", tags=(Tag("mlflow.data.context", "training"),))],
        )
        poor = store.create_run("0", run_name="poor", user_id="bob", start_time=300)
        store.log_batch(poor.run_id, metrics=[Metric("rmse", 1.5, 1)], params=[Param("alpha", "0.7")])
        lost = store.create_run("0", run_name="lost", user_id="ann", start_time=200)
        store.log_batch(lost.run_id, metrics=[Metric("rmse", math.nan, 1)])
        yield store


def names(store: SqlStore, text: str = "", *order: str) -> list[str]:
    return [run.run_name for run in store.search_runs(["0"], filter_string=text, order_by=order).runs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"rich", "poor", "lost"}),
        ("   ", {"rich", "poor", "lost"}),
        ("metrics.rmse < 1", {"rich"}),
        ("metric.rmse>=-1e3", {"rich", "poor"}),
        ("metrics.rmse = 0", set()),
        ("metrics.rmse != 0.5", {"poor", "lost"}),
        ("metrics.`val loss` = 2", {"rich"}),
        ('metrics."val loss" = +2.0', {"rich"}),
        ("metrics.acc.1 > .5", {"rich"}),
        ("metrics.absent < 1", set()),
        ("metrics.rmse < 1e999", {"rich", "poor"}),
        ("metrics.rmse > 99999999999999999999999", set()),
        ("params.alpha = '0.5'", {"rich"}),
        ('parameters.alpha = "0.5" AND metrics.rmse < 9', {"rich"}),
        ("params.alpha = '0.5' and metrics.rmse > 1", set()),
        ("param.alpha != '0.5'", {"poor"}),
        ("params.alpha LIKE '0._'", {"rich", "poor"}),
        ("params.mode = 'It''s *new* [x]'", {"rich"}),
        ("params.mode LIKE 'It''s *new* [x]'", {"rich"}),
        ("params.mode LIKE 'it%'", set()),
        ("params.mode ILIKE 'it%'", {"rich"}),
        ("params.mode LIKE 'It?s%'", set()),
        ("params.empty = ''", {"rich"}),
        ("params.alpha IS NULL", {"lost"}),
        ("params.alpha is not null", {"rich", "poor"}),
        ("tags.team IS NULL", {"poor", "lost"}),
        ("tags.mlflow.source.name = 'train.py'", {"rich"}),
        ("tags.`mlflow.source.name` LIKE 'train%'", {"rich"}),
        ("tag.mlflow.runName = 'poor'", {"poor"}),
        ("attributes.status = 'RUNNING'", {"poor", "lost"}),
        ("run.status != 'RUNNING'", {"rich"}),
        ("status IN ('FINISHED', 'FAILED')", {"rich"}),
        ("run_name NOT IN ('rich')", {"poor", "lost"}),
        ("attribute.start_time >= 200", {"poor", "lost"}),
        ("created < 200", {"rich"}),
        ("end_time = 200", {"rich"}),
        ("user_id = 'ann' AND start_time > 100", {"lost"}),
        ("artifact_uri LIKE 'mlflow-artifacts:/0/%'", {"rich", "poor", "lost"}),
        ("attributes.`run name` = 'rich'", {"rich"}),
        ("dataset.name = 'wine'", {"rich"}),
        ("datasets.digest LIKE 'a%'", {"rich"}),
        ("dataset.context = 'training' AND dataset.name IN ('wine')", {"rich"}),
        ("dataset.context = 'evaluation'", set()),
        ("params.alpha = '0.5'' OR 1=1 --'", set()),
        ("tags.`x' OR '1'='1` = 'y'", set()),
    ],
)
def test_filter(store: SqlStore, text: str, expected: set[str]) -> None:
    assert set(names(store, text)) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), ["poor", "lost", "rich"]),
        (("metrics.rmse",), ["rich", "poor", "lost"]),
        (("metrics.rmse DESC",), ["poor", "rich", "lost"]),
        (("metrics.`val loss` desc", "start_time ASC"), ["rich", "lost", "poor"]),
        (("params.alpha DESC",), ["poor", "rich", "lost"]),
        (("tags.team",), ["rich", "poor", "lost"]),
        (("attributes.end_time DESC",), ["rich", "poor", "lost"]),
        (("user_id", "run_name DESC"), ["rich", "lost", "poor"]),
    ],
)
def test_order(store: SqlStore, order: tuple[str, ...], expected: list[str]) -> None:
    assert names(store, "", *order) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_pages_hold_every_run_once(store: SqlStore, size: int) -> None:
    found: list[str] = []
    token = ""
    while True:
        page = store.search_runs(["0"], max_results=size, order_by=["metrics.rmse"], page_token=token)
        found += [run.run_name for run in page.runs]
        token = page.next_page_token
        if not token:
            break
        assert len(page.runs) == size
    assert found == ["rich", "poor", "lost"]


BAD = [
    ("metrics.rmse", 13, "expected a comparison"),
    ("metrics.rmse <", 15, "expected a number, found the end"),
    ("metrics.rmse < 'x'", 16, "expected a number"),
    ("metrics.rmse LIKE 'x'", 14, "LIKE cannot be used here"),
    ("metrics.rmse < 1 OR metrics.rmse > 2", 18, "expected AND, found 'OR'"),
    ("(metrics.rmse < 1)", 1, "expected a field"),
    ("params.alpha = 0.5", 16, "expected a quoted string"),
    ("params.alpha > '0'", 14, "> cannot be used here"),
    ("params.alpha = 'x", 16, "a quote that is never closed"),
    ("params.alpha = 'x' AND", 23, "expected a field"),
    ("start_time IS NULL", 12, "IS NULL cannot be used here"),
    ("run_id IN ()", 12, "expected a quoted string"),
    ("run_id IN 'a'", 11, "expected '('"),
    ("run_id IN ('a'", 15, "expected ')'"),
    ("run_id NOT LIKE 'a'", 12, "expected IN"),
    ("tags.x IS 'a'", 11, "expected NULL"),
    ("nothing.x = '1'", 1, "unknown entity 'nothing'"),
    ("lifecycle_stage = 'active'", 1, "unknown attribute 'lifecycle_stage'"),
    ("dataset.source = 'x'", 1, "a dataset has a name"),
    ("metrics. < 1", 10, "expected a key"),
    ("metrics.rmse < 1; DROP TABLE runs", 17, "';' does not belong here"),
    ("'1' = params.alpha", 1, "expected a field"),
    ("= 1", 1, "expected a field"),
]


@pytest.mark.parametrize(("text", "position", "message"), BAD)
def test_mistake_is_told_with_its_place(text: str, position: int, message: str) -> None:
    with pytest.raises(InvalidValueError, match=f"at character {position}: ") as caught:
        parse_filter(text, RUNS)
    assert message in caught.value.message


@pytest.mark.parametrize(
    "text", ["", "nope", "metrics.m FOO", "metrics.m DESC, x", "dataset.name", "'x'", "metrics."]
)
def test_ordering_that_is_none(store: SqlStore, text: str) -> None:
    with pytest.raises(InvalidValueError, match="invalid order_by at character"):
        store.search_runs(["0"], order_by=[text])


def test_experiments_are_not_sorted_by_tags(store: SqlStore) -> None:
    with pytest.raises(InvalidValueError, match="cannot sort"):
        store.search_experiments(order_by=["tags.x"])


def test_sizes_are_bounded(store: SqlStore) -> None:
    with pytest.raises(InvalidValueError, match="at most"):
        store.search_runs(["0"], filter_string="metrics.m < 1 AND " * 200 + "metrics.m < 1")
    with pytest.raises(InvalidValueError, match="at most"):
        store.search_runs(["0"], filter_string="x" * 1_000_001)
    with pytest.raises(InvalidValueError, match="at most"):
        store.search_runs(["0"], order_by=["start_time"] * 21)
    with pytest.raises(InvalidValueError, match="at most"):
        store.search_runs(["0"] * 20_001)
    with pytest.raises(InvalidValueError, match="at most"):
        store.search_runs(["0"], filter_string="run_id IN (" + "'x'," * 30_000 + "'x')")


def test_the_largest_searches_work(store: SqlStore) -> None:
    comparisons = " AND ".join(["metrics.rmse < 1"] * 200)
    assert names(store, comparisons) == ["rich"]
    assert names(store, "", *["metrics.rmse"] * 20)
    run_ids = ", ".join(f"'{number:032x}'" for number in range(20_000))
    assert names(store, f"run_id NOT IN ({run_ids})") == ["poor", "lost", "rich"]
    assert len(store.search_runs([str(number) for number in range(20_000)]).runs) == 3


def test_experiments(tmp_path: Path) -> None:
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        first = store.create_experiment("alpha", tags=[Tag("team", "red")])
        second = store.create_experiment("beta")

        def found(text: str = "", *order: str) -> list[str]:
            page = store.search_experiments(filter_string=text, order_by=order)
            return [experiment.name for experiment in page.experiments]

        assert found("", "name DESC") == ["beta", "alpha", "Default"]
        assert found("name = 'alpha'") == ["alpha"]
        assert found("attribute.name ILIKE 'AL%'") == ["alpha"]
        assert found("tags.team = 'red'") == ["alpha"]
        assert set(found("tags.team IS NULL")) == {"beta", "Default"}
        assert found(f"experiment_id IN ('{first}', 'x')") == ["alpha"]
        assert found(f"experiment_id = '{second}'") == ["beta"]
        assert set(found("creation_time > 0 AND last_update_time > 0")) == {"alpha", "beta", "Default"}
        with pytest.raises(InvalidValueError, match="unknown entity 'metrics'; one of: attributes, tags"):
            found("metrics.x < 1")


NAMES = [
    "metrics.",
    "params.",
    "tags.",
    "attributes.",
    "dataset.",
    "x",
    "`a",
    "b`",
    '"q"',
    "name",
    "start_time",
    "run_id",
]
SIGNS = ["'v'", "''", "<", "<=", "=", "!=", ">=", ">", "(", ")", ",", ".", "1", "-2.5", "1e3", ";", "*"]
KEYWORDS = ["LIKE", "ILIKE", "IN", "NOT", "IS", "NULL", "AND", "OR", "desc", "ASC"]
WORDS = st.sampled_from([*NAMES, *SIGNS, *KEYWORDS])
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(WORDS, max_size=14).map(" ".join),
    st.lists(WORDS, max_size=14).map("".join),
)


@given(text=TEXTS, searchable=st.sampled_from([RUNS, EXPERIMENTS, LOGGED_MODELS]))
@example(text="metrics.x < " + "9" * 5000, searchable=RUNS)
@example(text="metrics.x < ٣", searchable=RUNS)
def test_any_text_is_a_search_or_an_invalid_value(text: str, searchable: Searchable) -> None:
    for parse in (parse_filter, parse_ordering):
        try:
            parse(text, searchable)
        except InvalidValueError as error:
            assert "\n" not in error.message.replace(text, "")


@given(text=TEXTS)
def test_any_text_is_answered_by_the_store(store: SqlStore, text: str) -> None:
    for call in (
        lambda: store.search_runs(["0"], filter_string=text),
        lambda: store.search_runs(["0"], order_by=[text]),
        lambda: store.search_experiments(filter_string=text),
        lambda: part_of(store, LoggedModels).search_logged_models(["0"], filter_string=text),
    ):
        try:
            call()
        except InvalidValueError:
            continue


@given(key=st.text(min_size=1, max_size=20).filter(lambda key: "`" not in key), value=st.text(max_size=20))
def test_quoted_keys_and_values_are_read_as_written(key: str, value: str) -> None:
    quoted = value.replace("'", "''")
    (comparison,) = parse_filter(f"params.`{key}` = '{quoted}'", RUNS)
    assert (comparison.field.key, comparison.value) == (key, value)


def test_traces_are_not_searched_by_their_spans() -> None:
    """They are in files; MLflow's store has them in its database."""
    with pytest.raises(InvalidValueError, match="unknown entity 'span'; one of: attributes, metadata, tags"):
        parse_filter("span.name = 'retrieve'", TRACES)
