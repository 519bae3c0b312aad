"""The conformance kit of tracking stores: the search of runs."""

from __future__ import annotations

import pytest

from projrun.errors import InvalidValueError
from projrun.testing.run_store_base import ConformanceBase, unique
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.runs import RunStore


class SearchConformance(ConformanceBase):
    """The search of runs."""

    @pytest.fixture
    def runs(self, store: RunStore, experiment_id: str) -> list[str]:
        """Five runs: `alpha` and `loss` count from 0, the first two are of kind `even` and `odd`, and so on."""
        made = [store.create_run(experiment_id, start_time=1_000 + number).run_id for number in range(5)]
        for number, run_id in enumerate(made):
            store.log_batch(
                run_id,
                params=[Param("alpha", str(number))],
                metrics=[Metric("loss", float(number), 1)],
                tags=[Tag("kind", "odd" if number % 2 else "even")],
            )
        store.update_run(made[4], status="FAILED", end_time=9)
        return made

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("", [0, 1, 2, 3, 4]),
            ("params.alpha = '3'", [3]),
            ("params.alpha != '3'", [0, 1, 2, 4]),
            ("metrics.loss > 2", [3, 4]),
            ("metrics.loss <= 2 and tags.kind = 'even'", [0, 2]),
            ("attributes.status = 'FAILED'", [4]),
            ("tags.kind LIKE 'o%'", [1, 3]),
            ("params.absent = 'x'", []),
        ],
    )
    def test_filter(
        self, store: RunStore, experiment_id: str, runs: list[str], text: str, wanted: list[int]
    ) -> None:
        found = store.search_runs([experiment_id], filter_string=text).runs
        assert {run.run_id for run in found} == {runs[number] for number in wanted}

    def test_found_runs_are_complete(self, store: RunStore, experiment_id: str, runs: list[str]) -> None:
        (found,) = store.search_runs([experiment_id], filter_string="params.alpha = '3'").runs
        whole = store.get_run(runs[3])
        assert (found.params, found.metrics, set(found.tags)) == (
            whole.params,
            whole.metrics,
            set(whole.tags),
        )

    def test_order(self, store: RunStore, experiment_id: str, runs: list[str]) -> None:
        found = store.search_runs([experiment_id], order_by=["metrics.loss DESC"]).runs
        assert [run.run_id for run in found] == runs[::-1]

    def test_newest_come_first(self, store: RunStore, experiment_id: str, runs: list[str]) -> None:
        found = store.search_runs([experiment_id]).runs
        assert [run.run_id for run in found] == runs[::-1]

    def test_pages(self, store: RunStore, experiment_id: str, runs: list[str]) -> None:
        found: list[str] = []
        sizes: list[int] = []
        token = ""
        while True:
            page = store.search_runs(
                [experiment_id], order_by=["metrics.loss ASC"], max_results=2, page_token=token
            )
            found += [run.run_id for run in page.runs]
            sizes.append(len(page.runs))
            token = page.next_page_token
            if not token:
                break
        assert found == runs
        assert sizes == [2, 2, 1]

    def test_only_the_named_experiments_are_searched(
        self, store: RunStore, experiment_id: str, runs: list[str]
    ) -> None:
        other = store.create_experiment(unique("other"))
        mine = store.create_run(other, start_time=5_000).run_id
        assert [run.run_id for run in store.search_runs([other]).runs] == [mine]
        assert len(store.search_runs([other, experiment_id]).runs) == len(runs) + 1

    @pytest.mark.parametrize(
        "text", ["params.alpha ===", "nothing", "params.alpha = 3 or", "metrics.loss = 'x'"]
    )
    def test_filter_that_is_none_is_refused(self, store: RunStore, experiment_id: str, text: str) -> None:
        with pytest.raises(InvalidValueError):
            store.search_runs([experiment_id], filter_string=text)
