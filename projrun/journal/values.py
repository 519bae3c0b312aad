"""Values of one run, sent to its place in a target: what is refused stops nothing else."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence

from projrun.errors import InvalidValueError
from projrun.journal.references import References
from projrun.tracking import limits
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.runs import RunStore

PAGE = 25_000
"""MLflow's servers give at most so many values of a history at once."""

Identity = tuple[str, int, int, "float | str"]
Value = Metric | Param | Tag


class ValueSender:
    """Sends params, metrics and tags to one run of the target, with the target's ids in them."""

    def __init__(self, target: RunStore, run_id: str, references: References) -> None:
        self._target = target
        self._run_id = run_id
        self._references = references
        self.counts = {"metric": 0, "param": 0, "tag": 0}
        self.refused: list[str] = []
        """What the target does not take, and why."""
        self.cut: list[str] = []
        """The params whose values are too long for it: it has their beginnings."""

    def send(self, values: Sequence[Value]) -> None:
        """Where the target refuses a value, the others of its batch are sent all the same."""
        try:
            self._log(values)
        except InvalidValueError as error:
            if len(values) == 1:
                self.refused.append(f"{type(values[0]).__name__.lower()} {values[0].key}: {error.message}")
                return
            middle = len(values) // 2
            for half in (values[:middle], values[middle:]):
                self.send(self._not_recorded(half))

    def recorded(self, keys: Iterable[str]) -> set[Identity]:
        """What the target has of these metrics."""
        return {identity(metric) for key in keys for metric in history(self._target, self._run_id, key)}

    def _not_recorded(self, values: Sequence[Value]) -> Sequence[Value]:
        """Without the metrics that a refused batch brought all the same."""
        there = self.recorded({value.key for value in values if isinstance(value, Metric)})
        return [value for value in values if not isinstance(value, Metric) or identity(value) not in there]

    def _log(self, values: Sequence[Value]) -> None:
        if not values:
            return
        metrics = [self._metric(value) for value in values if isinstance(value, Metric)]
        params = {value.key: value for value in values if isinstance(value, Param)}
        tags = {value.key: self._references.tag(value) for value in values if isinstance(value, Tag)}
        self._target.log_batch(
            self._run_id,
            metrics=metrics,
            params=self._within_limit(list(params.values())),
            tags=[*tags.values()],
        )
        for kind, sent in (("metric", metrics), ("param", params), ("tag", tags)):
            self.counts[kind] += len(sent)

    def _within_limit(self, params: Sequence[Param]) -> list[Param]:
        limit = limits.param_value_limit(params, self._target.param_value_limit)
        self.cut += [param.key for param in params if len(param.value) > limit]
        return [Param(param.key, param.value[:limit]) for param in params]

    def _metric(self, metric: Metric) -> Metric:
        model = metric.model_id
        return metric if model is None else metric._replace(model_id=self._references.text(model))


def history(store: RunStore, run_id: str, key: str) -> Iterator[Metric]:
    """All values of a metric, page by page."""
    token = ""
    while True:
        page = store.get_metric_history(run_id, key, max_results=PAGE, page_token=token)
        yield from page.metrics
        token = page.next_page_token
        if not token:
            return


def identity(metric: Metric) -> Identity:
    """What tells one value from another. MLflow's servers keep an infinity as the largest number."""
    value = metric.value
    if math.isnan(value):
        return metric.key, metric.timestamp, metric.step, "nan"
    if math.isinf(value):
        value = math.copysign(sys.float_info.max, value)
    return metric.key, metric.timestamp, metric.step, value
