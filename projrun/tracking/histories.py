"""`Histories`: the histories of a metric in several runs, whole or as few points as a chart shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from projrun.tracking.entities import Metric
from projrun.tracking.runs import RunStore

MOST_RUNS = 100
MOST_POINTS = 25_000
MOST_SAMPLED = 2_500
"""Points of one run, as in MLflow."""


@runtime_checkable
class Histories(Protocol):
    """What pages read that show metrics. Each metric names its run."""

    def bulk_history(
        self, run_ids: Sequence[str], key: str, *, max_results: int = MOST_POINTS
    ) -> tuple[Metric, ...]:
        """The values of a metric by run, time, step and value; runs that do not exist have none."""
        ...

    def sampled_history(
        self,
        run_ids: Sequence[str],
        key: str,
        *,
        max_results: int = MOST_SAMPLED,
        steps: tuple[int, int] | None = None,
        extremes: bool = False,
    ) -> tuple[Metric, ...]:
        """At most `max_results` values of each run, from and to the given steps, by step, time and value.

        They are spread evenly, as MLflow's: the first of as many equal parts, and the last of all. With `extremes`,
        they are the least and the greatest of each of half as many parts, or of fewer, so that no peak is missing.
        """
        ...


def whole_history(store: RunStore, run_id: str, key: str) -> list[Metric]:
    """All values of a metric of a run, in the order of steps, and of times in a step."""
    found: list[Metric] = []
    token = ""
    while True:
        page = store.get_metric_history(run_id, key, max_results=MOST_POINTS, page_token=token)
        found += page.metrics
        token = page.next_page_token
        if not token:
            return sorted(found, key=lambda point: (point.step, point.timestamp))
