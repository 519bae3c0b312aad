"""The conformance kit of tracking stores: params, tags and metrics."""

from __future__ import annotations

import math
import sys

import pytest

from projrun.errors import InvalidValueError, NotFoundError
from projrun.testing.run_store_base import AWKWARD, NO_RUN, ConformanceBase
from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.runs import RunStore


class LoggingConformance(ConformanceBase):
    """Params, tags and metrics."""

    def test_params_are_kept_as_written(self, store: RunStore, run: Run) -> None:
        params = {"alpha": "0.10", "text": AWKWARD, "empty": "", "a/b.c-d e:f": "1e-5"}
        store.log_batch(run.run_id, params=[Param(*item) for item in params.items()])
        assert dict(store.get_run(run.run_id).params) == params

    def test_param_is_written_once(self, store: RunStore, run: Run) -> None:
        store.log_batch(run.run_id, params=[Param("alpha", "1")])
        store.log_batch(run.run_id, params=[Param("alpha", "1")])
        with pytest.raises(InvalidValueError):
            store.log_batch(run.run_id, params=[Param("alpha", "2")])
        assert store.get_run(run.run_id).params == (Param("alpha", "1"),)

    def test_param_key_must_be_a_path_of_words(self, store: RunStore, run: Run) -> None:
        with pytest.raises(InvalidValueError):
            store.log_batch(run.run_id, params=[Param("no#such\nname", "1")])

    def test_param_value_of_the_longest_length_is_kept(self, store: RunStore, run: Run) -> None:
        value = "x" * store.param_value_limit()
        store.log_batch(run.run_id, params=[Param("long", value)])
        assert store.get_run(run.run_id).params == (Param("long", value),)

    def test_batch_of_any_size_is_logged(self, store: RunStore, run: Run) -> None:
        params = [Param(f"p{number}", str(number)) for number in range(130)]
        tags = [Tag(f"t{number}", str(number)) for number in range(130)]
        metrics = [Metric("loss", float(number), number, number) for number in range(1_100)]
        store.log_batch(run.run_id, metrics=metrics, params=params, tags=tags)
        found = store.get_run(run.run_id)
        assert set(found.params) == set(params)
        assert set(tags) <= set(found.tags)
        assert _values(found) == {"loss": 1_099.0}
        assert len(_history(store, run.run_id, "loss")) == 1_100

    def test_nothing_is_logged_for_nothing(self, store: RunStore, run: Run) -> None:
        before = store.get_run(run.run_id)
        store.log_batch(run.run_id)
        assert store.get_run(run.run_id) == before

    def test_unknown_run_takes_nothing(self, store: RunStore) -> None:
        with pytest.raises(NotFoundError):
            store.log_batch(NO_RUN, params=[Param("a", "1")])

    def test_tag_is_set_overwritten_and_deleted(self, store: RunStore, run: Run) -> None:
        store.set_tag(run.run_id, Tag("note", "one"))
        store.set_tag(run.run_id, Tag("note", AWKWARD))
        assert store.get_run(run.run_id).tag("note") == AWKWARD
        store.log_batch(run.run_id, tags=[Tag("note", "three")])
        assert store.get_run(run.run_id).tag("note") == "three"
        store.delete_tag(run.run_id, "note")
        assert store.get_run(run.run_id).tag("note") is None
        with pytest.raises(NotFoundError):
            store.delete_tag(run.run_id, "note")

    def test_latest_metric_is_that_of_the_highest_step(self, store: RunStore, run: Run) -> None:
        logged = [
            Metric("loss", 0.5, 10, 2),
            Metric("loss", 0.9, 30, 1),
            Metric("loss", 0.4, 20, 2),
            Metric("loss", 7.0, 40, -1),
        ]
        for metric in logged:
            store.log_batch(run.run_id, metrics=[metric])
        (latest,) = store.get_run(run.run_id).metrics
        assert (latest.value, latest.timestamp, latest.step) == (0.4, 20, 2)
        history = _history(store, run.run_id, "loss")
        assert {(item.value, item.timestamp, item.step) for item in history} == {
            (item.value, item.timestamp, item.step) for item in logged
        }

    def test_metric_that_is_sent_twice_counts_once(self, store: RunStore, run: Run) -> None:
        for _ in range(2):
            store.log_batch(run.run_id, metrics=[Metric("loss", 0.5, 10, 2)])
        assert len(_history(store, run.run_id, "loss")) == 1

    def test_metric_values_that_are_no_numbers_survive(self, store: RunStore, run: Run) -> None:
        values = {"nan": math.nan, "up": math.inf, "down": -math.inf, "tiny": 5e-324, "zero": 0.0}
        store.log_batch(run.run_id, metrics=[Metric(key, value, 1) for key, value in values.items()])
        found = _values(store.get_run(run.run_id))
        assert math.isnan(found["nan"])
        # MLflow's own stores keep an infinity as the largest double.
        assert found["up"] in (math.inf, sys.float_info.max)
        assert found["down"] in (-math.inf, -sys.float_info.max)
        assert (found["tiny"], found["zero"]) == (5e-324, 0.0)
        assert [math.isnan(item.value) for item in _history(store, run.run_id, "nan")] == [True]

    def test_history_pages_through_all(self, store: RunStore, run: Run) -> None:
        metrics = [Metric("loss", float(number), number, number) for number in range(7)]
        store.log_batch(run.run_id, metrics=metrics)
        values = [item.value for item in _history(store, run.run_id, "loss", page_size=3)]
        assert values == [float(number) for number in range(7)]

    def test_history_of_an_unknown_metric_is_empty(self, store: RunStore, run: Run) -> None:
        assert store.get_metric_history(run.run_id, "absent").metrics == ()


def _values(run: Run) -> dict[str, float]:
    return {metric.key: metric.value for metric in run.metrics}


def _history(store: RunStore, run_id: str, key: str, page_size: int | None = None) -> list[Metric]:
    found: list[Metric] = []
    token = ""
    while True:
        page = store.get_metric_history(run_id, key, max_results=page_size, page_token=token)
        found += page.metrics
        token = page.next_page_token
        if not token:
            return found
