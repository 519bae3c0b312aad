"""Metrics: the history of one key, of one run or of several."""

from __future__ import annotations

import msgspec

from projrun.errors import InvalidValueError
from projrun.server import answers, permissions, wire
from projrun.server.api import reading
from projrun.tracking.histories import MOST_POINTS, MOST_RUNS, MOST_SAMPLED, Histories
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore


class _History(wire.OfRun, kw_only=True):
    metric_key: str
    max_results: wire.Int64 | None = None
    page_token: str = ""


class _Page(msgspec.Struct, omit_defaults=True):
    metrics: list[answers.MetricAnswer] = []
    next_page_token: str = ""


class _Bulk(wire.Message):
    run_id: tuple[str, ...] = ()
    metric_key: str | None = None
    max_results: wire.Int64 = MOST_POINTS

    @property
    def run_ids(self) -> tuple[str, ...]:
        """As permissions name them."""
        return self.run_id


class _Interval(wire.Message, kw_only=True):
    run_ids: tuple[str, ...]
    metric_key: str
    start_step: wire.Int64 | None = None
    end_step: wire.Int64 | None = None
    max_results: wire.Int64 = MOST_SAMPLED
    extremes: bool = False
    """Not MLflow's: see `Histories`."""


class _Several(msgspec.Struct):
    metrics: list[answers.MetricAnswer]


def _get_history(store: RunStore, message: _History) -> _Page:
    page = store.get_metric_history(
        message.run, message.metric_key, max_results=message.max_results, page_token=message.page_token
    )
    return _Page(answers.metrics(page.metrics), page.next_page_token)


def _get_bulk(store: RunStore, message: _Bulk) -> _Several:
    what = "GetMetricHistoryBulk request"
    if not message.run_id:
        raise InvalidValueError(f"{what} must specify at least one run_id.")
    _check_runs(what, "cannot specify more than", message.run_id)
    if message.metric_key is None:
        raise InvalidValueError(f"{what} must specify a metric_key.")
    found = part_of(store, Histories).bulk_history(
        message.run_id, message.metric_key, max_results=max(min(message.max_results, MOST_POINTS), 0)
    )
    return _Several(answers.metrics(found, of_runs=True))


def _get_interval(store: RunStore, message: _Interval) -> _Several:
    _check_runs("GetMetricHistoryBulkInterval request", "must specify at most", message.run_ids)
    found = part_of(store, Histories).sampled_history(
        message.run_ids,
        message.metric_key,
        max_results=message.max_results,
        steps=_steps(message.start_step, message.end_step),
        extremes=message.extremes,
    )
    return _Several(answers.metrics(found, of_runs=True))


def _check_runs(what: str, verb: str, run_ids: tuple[str, ...]) -> None:
    if len(run_ids) > MOST_RUNS:
        raise InvalidValueError(f"{what} {verb} {MOST_RUNS} run_ids. Received {len(run_ids)} run_ids.")


def _steps(start: int | None, end: int | None) -> tuple[int, int] | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise InvalidValueError("If either start step or end step are specified, both must be specified.")
    if start > end:
        raise InvalidValueError(
            f"end_step must be greater than start_step. Found start_step={start} and end_step={end}."
        )
    return start, end


ROUTES = (
    reading("GET", "metrics/get-history", _History, _get_history, needs=permissions.READ_RUN),
    reading("GET", "metrics/get-history-bulk", _Bulk, _get_bulk, needs=permissions.READ_RUNS),
    reading(
        "GET", "metrics/get-history-bulk-interval", _Interval, _get_interval, needs=permissions.READ_RUNS
    ),
)
