"""The conformance kit of histories of several runs: whole, and sampled as MLflow's page asks for them.

    class TestMyStore(HistoriesConformance):
        @pytest.fixture
        def store(self, tmp_path: Path) -> Iterator[RunStore]: ...

Every test was tried against MLflow's own server, 3.17.
"""

from __future__ import annotations

import pytest

from projrun.errors import InvalidValueError
from projrun.testing.run_store_base import NO_RUN, ConformanceBase
from projrun.tracking.entities import Metric, Run
from projrun.tracking.histories import Histories
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore


class HistoriesConformance(ConformanceBase):
    """Histories of several runs at once."""

    @pytest.fixture
    def histories(self, store: RunStore) -> Histories:
        """The part of the store that is tested."""
        return part_of(store, Histories)

    @pytest.fixture
    def two_runs(self, store: RunStore, experiment_id: str) -> list[str]:
        """Two runs of 100 and 7 points, the last of which share one step."""
        found: list[Run] = [store.create_run(experiment_id, start_time=1) for _ in range(2)]
        for run, count in zip(found, (100, 7), strict=True):
            points = [
                Metric("loss", float(number), 1000 + number, min(number, 90)) for number in range(count)
            ]
            store.log_batch(run.run_id, metrics=points)
        return [run.run_id for run in found]

    def test_bulk_history_is_by_run_and_time(self, histories: Histories, two_runs: list[str]) -> None:
        found = histories.bulk_history([*two_runs, NO_RUN], "loss")
        expected = [
            (run, float(number))
            for run, count in zip(two_runs, (100, 7), strict=True)
            for number in range(count)
        ]
        assert [(metric.run_id, metric.value) for metric in found] == sorted(expected)
        assert len(histories.bulk_history(two_runs, "loss", max_results=3)) == 3
        assert histories.bulk_history(two_runs, "absent") == ()

    @pytest.mark.parametrize(
        ("most", "expected"),
        [
            (1, [99]),
            (2, [0, 99]),
            (3, [0, 34, 99]),
            (7, [0, 15, 30, 44, 58, 72, 99]),
            (99, [0, *range(2, 99), 99]),
            (100, [*range(100)]),
        ],
    )
    def test_sample_is_spread_evenly(
        self, histories: Histories, two_runs: list[str], most: int, expected: list[int]
    ) -> None:
        found = histories.sampled_history(two_runs[:1], "loss", max_results=most)
        assert [metric.value for metric in found] == expected

    def test_each_run_is_sampled_for_itself(self, histories: Histories, two_runs: list[str]) -> None:
        found = histories.sampled_history(two_runs, "loss", max_results=4)
        assert [(metric.run_id, metric.value) for metric in found] == [
            *((two_runs[0], value) for value in (0, 25, 50, 99)),
            *((two_runs[1], value) for value in (0, 2, 4, 6)),
        ]

    def test_sample_between_steps(self, histories: Histories, two_runs: list[str]) -> None:
        found = histories.sampled_history(two_runs[:1], "loss", max_results=3, steps=(10, 90))
        assert [metric.value for metric in found] == [10, 40, 99]
        assert histories.sampled_history(two_runs[:1], "loss", steps=(200, 300)) == ()

    def test_runs_without_values_and_what_is_refused(self, histories: Histories, two_runs: list[str]) -> None:
        assert histories.sampled_history([NO_RUN], "loss") == ()
        with pytest.raises(InvalidValueError):
            histories.sampled_history(two_runs, "loss", max_results=2501)
        with pytest.raises(InvalidValueError):
            histories.sampled_history(two_runs * 51, "loss")
