"""The best finished runs of an experiment, by a metric."""

from __future__ import annotations

from projrun.errors import RequestError
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

_PAGE = 1000


def best_runs(
    store: RunStore, experiment_id: str, metric: str, *, smallest: bool, count: int = 1, but: str = ""
) -> list[Run]:
    """The best ones first; a value that is NaN is none. `but` is the id of a run that does not count.

    RequestError for a name that no filter can hold.
    """
    key = metric_key(metric)
    found: list[Run] = []
    token = ""
    while True:
        page = store.search_runs(
            [experiment_id],
            filter_string="attributes.status = 'FINISHED'",
            order_by=(f"{key} {'ASC' if smallest else 'DESC'}", "attributes.start_time DESC"),
            max_results=min(_PAGE, count + 1 if not token else _PAGE),
            page_token=token,
        )
        for run in page.runs:
            value = metric_value(run, metric)
            if value is None:  # these come last
                return found[:count]
            if run.run_id != but and value == value:
                found.append(run)
        token = page.next_page_token
        if len(found) >= count or not token:
            return found[:count]


def metric_key(metric: str) -> str:
    """The metric in a filter."""
    if "`" not in metric:
        return f"metrics.`{metric}`"
    if '"' not in metric:
        return f'metrics."{metric}"'
    raise RequestError(f"the metric {metric!r} cannot be searched for: it has both kinds of quotes")


def metric_value(run: Run, metric: str) -> float | None:
    """The latest value of a metric; None where the run has none."""
    return next((one.value for one in run.metrics if one.key == metric), None)
