"""`RestHistories`: histories of several runs, from a tracking server."""

from __future__ import annotations

from collections.abc import Sequence

from projrun.tracking.entities import Metric
from projrun.tracking.histories import MOST_POINTS, MOST_SAMPLED
from projrun.tracking.rest import wire
from projrun.tracking.rest.transport import Query, Transport

_ROUTES = "ajax-api/2.0/mlflow/metrics/"
"""MLflow has them for its page alone."""


class RestHistories:
    """The `Histories` of a tracking server. A foreign one does not know `extremes`, and answers an even sample."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def bulk_history(
        self, run_ids: Sequence[str], key: str, *, max_results: int = MOST_POINTS
    ) -> tuple[Metric, ...]:
        """The values of a metric by run, time, step and value."""
        query = [*(("run_id", run_id) for run_id in run_ids), ("metric_key", key)]
        return self._get("get-history-bulk", [*query, ("max_results", str(max_results))])

    def sampled_history(
        self,
        run_ids: Sequence[str],
        key: str,
        *,
        max_results: int = MOST_SAMPLED,
        steps: tuple[int, int] | None = None,
        extremes: bool = False,
    ) -> tuple[Metric, ...]:
        """At most `max_results` values of each run; see `Histories`."""
        query = [*(("run_ids", run_id) for run_id in run_ids), ("metric_key", key)]
        query.append(("max_results", str(max_results)))
        if steps is not None:
            query += [("start_step", str(steps[0])), ("end_step", str(steps[1]))]
        if extremes:
            query.append(("extremes", "true"))
        return self._get("get-history-bulk-interval", query)

    def _get(self, route: str, query: Query) -> tuple[Metric, ...]:
        return self._transport.get(_ROUTES + route, query, wire.metrics_answer).metrics
