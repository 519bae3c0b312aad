"""Metrics: the history of one key."""

from __future__ import annotations

import msgspec

from projrun.server import answers, permissions, wire
from projrun.server.api import reading
from projrun.tracking.runs import RunStore


class _History(wire.OfRun, kw_only=True):
    metric_key: str
    max_results: wire.Int64 | None = None
    page_token: str = ""


class _Page(msgspec.Struct, omit_defaults=True):
    metrics: list[answers.MetricAnswer] = []
    next_page_token: str = ""


def _get_history(store: RunStore, message: _History) -> _Page:
    page = store.get_metric_history(
        message.run, message.metric_key, max_results=message.max_results, page_token=message.page_token
    )
    return _Page(answers.metrics(page.metrics), page.next_page_token)


ROUTES = (reading("GET", "metrics/get-history", _History, _get_history, needs=permissions.READ_RUN),)
