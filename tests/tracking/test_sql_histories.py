"""Samples of long series: by summaries as by reading everything, while the series grows and changes."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from projrun.tracking.entities import Metric
from projrun.tracking.sql.samples import store as histories_module
from projrun.tracking.sql.samples.store import SqlHistories, spread
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store, statements

POINTS = 2_700
CHANCE = random.Random(5)
SERIES = {
    "even": [(number, 1000 + number) for number in range(POINTS)],
    "every third": [(3 * number - 500, 1000 + number) for number in range(POINTS)],
    "one step": [(0, 1000 + number // 2) for number in range(POINTS)],
    "with gaps": [(number + number // 7 * 3, 5000 - number) for number in range(POINTS)],
    "several to a step": [(number // 600, 1000 + number) for number in range(POINTS)],
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """A store that summarizes series of 600 points already."""
    monkeypatch.setattr(histories_module, "LONG", 600)
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


@pytest.fixture
def run_id(store: SqlStore) -> str:
    return store.create_run("0", start_time=1).run_id


@pytest.fixture
def histories(store: SqlStore) -> SqlHistories:
    return SqlHistories(store._engine)


def points_of(store: SqlStore, run_id: str) -> list[tuple[int, int, str]]:
    """All that was logged, by step, time and value."""
    found = store.get_metric_history(run_id, "loss").metrics
    key = [
        (metric.step, metric.timestamp, 0.0 if math.isnan(metric.value) else metric.value) for metric in found
    ]
    return [described(metric) for _, metric in sorted(zip(key, found, strict=True), key=lambda pair: pair[0])]


def described(metric: Metric) -> tuple[int, int, str]:
    return metric.step, metric.timestamp, str(metric.value)


def summaries(store: SqlStore) -> int:
    with store._engine.reading() as connection:
        number: int = connection.execute("SELECT count(*) FROM summaries").fetchone()[0]
    return number


def logged(places: Sequence[tuple[int, int]]) -> list[Metric]:
    values = [math.nan if CHANCE.random() < 0.1 else CHANCE.gauss(0, 1) for _ in places]
    return [Metric("loss", value, time, step) for (step, time), value in zip(places, values, strict=True)]


@pytest.mark.parametrize("name", SERIES)
def test_a_sample_is_that_of_the_whole(
    store: SqlStore, run_id: str, histories: SqlHistories, name: str
) -> None:
    store.log_batch(run_id, metrics=logged(SERIES[name]))
    whole = points_of(store, run_id)
    steps = [point[0] for point in whole]
    ranges = [
        None,
        (steps[0], steps[-1]),
        (steps[700], steps[1900]),
        (steps[2600], 10**6),
        (-9, steps[3]),
        (9**9, 9**9),
    ]
    for chosen in ranges:
        part = [point for point in whole if chosen is None or chosen[0] <= point[0] <= chosen[1]]
        for most in (1, 2, 10, 600, *([2500] if chosen is None else [])):
            found = histories.sampled_history([run_id], "loss", max_results=most, steps=chosen)
            assert list(map(described, found)) == [part[place] for place in spread(0, len(part), most)]
    assert summaries(store) == POINTS // 512


@pytest.mark.parametrize("name", SERIES)
def test_extremes_are_in_every_sample(
    store: SqlStore, run_id: str, histories: SqlHistories, name: str
) -> None:
    store.log_batch(run_id, metrics=logged(SERIES[name]))
    whole = points_of(store, run_id)
    for chosen in (None, (whole[300][0], whole[2300][0])):
        part = [point for point in whole if chosen is None or chosen[0] <= point[0] <= chosen[1]]
        numbers = [float(point[2]) for point in part if point[2] != "nan"]
        for most in (2, 7, 100):
            found = histories.sampled_history([run_id], "loss", max_results=most, steps=chosen, extremes=True)
            values = [metric.value for metric in found]
            assert len(found) <= most
            assert {min(numbers), max(numbers)} <= set(values)
            assert set(map(described, found)) <= set(part)
            assert [metric.step for metric in found] == sorted(metric.step for metric in found)


def test_summaries_grow_with_the_series(store: SqlStore, run_id: str, histories: SqlHistories) -> None:
    for start in range(0, POINTS, 450):
        store.log_batch(run_id, metrics=logged(SERIES["even"][start : start + 450]))
        found = histories.sampled_history([run_id], "loss", max_results=50)
        whole = points_of(store, run_id)
        assert list(map(described, found)) == [whole[place] for place in spread(0, len(whole), 50)]
        assert summaries(store) == (len(whole) // 512 if len(whole) >= 600 else 0)


@pytest.mark.parametrize("step", [-5, 0, 511, 512, 1300, 2559, 5000])
def test_a_point_that_comes_late_is_in_the_sample(
    store: SqlStore, run_id: str, histories: SqlHistories, step: int
) -> None:
    store.log_batch(run_id, metrics=logged(SERIES["even"]))
    histories.sampled_history([run_id], "loss")
    store.log_batch(run_id, metrics=[Metric("loss", 99.0, 5, step), Metric("loss", -99.0, 10**6, step)])
    whole = points_of(store, run_id)
    found = histories.sampled_history([run_id], "loss", max_results=2500)
    assert list(map(described, found)) == [whole[place] for place in spread(0, POINTS + 2, 2500)]
    peaks = histories.sampled_history([run_id], "loss", max_results=4, extremes=True)
    assert {99.0, -99.0} <= {metric.value for metric in peaks}


def test_a_history_is_read_in_its_order(store: SqlStore, run_id: str) -> None:
    store.log_batch(run_id, metrics=logged(SERIES["even"]))
    (statement,) = [
        each
        for each in statements(store, lambda: store.get_metric_history(run_id, "loss"))
        if " FROM points " in each
    ]
    with store._engine.reading() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    assert "TEMP B-TREE" not in str(plan)


def test_extremes_of_a_whole_series_need_no_list_of_its_parts(
    store: SqlStore, run_id: str, histories: SqlHistories
) -> None:
    store.log_batch(run_id, metrics=logged(SERIES["even"]))
    call = partial(histories.sampled_history, [run_id], "loss", max_results=6, extremes=True)
    call()
    assert not [each for each in statements(store, call) if "stride" in each]


def test_short_series_keep_no_summaries(store: SqlStore, run_id: str, histories: SqlHistories) -> None:
    store.log_batch(run_id, metrics=logged(SERIES["even"][:599]))
    assert len(histories.sampled_history([run_id], "loss", max_results=9)) == 9
    peaks = histories.sampled_history([run_id], "loss", max_results=9, extremes=True)
    values = [metric.value for metric in store.get_metric_history(run_id, "loss").metrics]
    numbers = [value for value in values if not math.isnan(value)]
    assert {min(numbers), max(numbers)} <= {metric.value for metric in peaks}
    assert summaries(store) == 0


def test_what_was_logged_for_two_datasets_is_sampled_as_one(
    store: SqlStore, run_id: str, histories: SqlHistories
) -> None:
    values = [
        Metric("loss", float(step % 5), 1, step, dataset_name=name, dataset_digest="d")
        for step in range(20)
        for name in ("train", "eval")
    ]
    store.log_batch(run_id, metrics=values)
    found = histories.sampled_history([run_id], "loss", max_results=4)
    assert [metric.step for metric in found] == [0, 5, 10, 19]
