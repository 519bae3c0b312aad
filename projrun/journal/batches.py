"""Changes of one run, sent in batches: each arrives exactly once, whatever fails on the way."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from itertools import takewhile

from projrun.errors import InvalidValueError, NotFoundError
from projrun.journal.changes import Change
from projrun.journal.journal import Held, Journal
from projrun.journal.references import References
from projrun.tracking import limits
from projrun.tracking.entities import Metric, ModelOutput, Param, Tag
from projrun.tracking.runs import RunStore

_MOST = {"metric": limits.BATCH_METRICS, "param": limits.BATCH_PARAMS, "tag": limits.BATCH_TAGS}
_PAGE = 25_000
"""MLflow's servers give at most so many values of a history at once."""

Identity = tuple[str, int, int, "float | str"]


class RunSender:
    """Sends the changes of one run to its place in the target."""

    def __init__(self, journal: Journal, held: Held, target: RunStore, references: References) -> None:
        self._journal = journal
        self._held = held
        self._target = target
        self._references = references
        self._run_id = held.target
        self._doubtful = held.sent
        self.counts = {"metric": 0, "param": 0, "tag": 0}
        self.refused: list[str] = []

    def send_batch(self) -> bool:
        """Send the oldest changes that wait; False where none do."""
        batch = _batch(self._journal.changes(self._held, limits.BATCH_TOTAL))
        if not batch:
            return False
        kind = batch[0].kind
        if kind in _MOST:
            self._send_values(batch)
        elif kind == "no tag":
            self._delete_tag(batch[0].key)
        elif kind == "state":
            self._update(batch[0])
        else:
            self._send_inputs()
        self._journal.acknowledge(self._held, batch)
        return True

    def _send_values(self, batch: Sequence[Change]) -> None:
        doubtful = {
            change.seq for change in batch if change.kind == "metric" and change.seq <= self._doubtful
        }
        missing: Sequence[Change] = batch
        if doubtful:
            there = self._recorded({change.key for change in batch if change.seq in doubtful})
            missing = [one for one in batch if one.seq not in doubtful or _identity(one) not in there]
        if missing:
            self._doubtful = max(self._doubtful, batch[-1].seq)
            self._journal.mark_sent(self._held, self._doubtful)
            self._send_or_divide(missing)

    def _send_or_divide(self, batch: Sequence[Change]) -> None:
        """Where the target refuses a value, the others of its batch are sent all the same."""
        try:
            self._log(batch)
        except InvalidValueError as error:
            if len(batch) == 1:
                self.refused.append(f"{batch[0].kind} {batch[0].key}: {error.message}")
                return
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                self._send_or_divide(self._not_recorded(half))

    def _not_recorded(self, batch: Sequence[Change]) -> Sequence[Change]:
        """Without the metrics that a refused batch brought all the same."""
        there = self._recorded({change.key for change in batch if change.kind == "metric"})
        return [change for change in batch if change.kind != "metric" or _identity(change) not in there]

    def _log(self, batch: Sequence[Change]) -> None:
        if not batch:
            return
        metrics = [self._metric(change) for change in batch if change.kind == "metric"]
        params = {change.key: Param(change.key, change.value) for change in batch if change.kind == "param"}
        tags = {change.key: Tag(change.key, change.value) for change in batch if change.kind == "tag"}
        self._target.log_batch(
            self._run_id,
            metrics=metrics,
            params=self._within_limit(list(params.values())),
            tags=[self._references.tag(tag) for tag in tags.values()],
        )
        for kind, values in (("metric", metrics), ("param", params), ("tag", tags)):
            self.counts[kind] += len(values)

    def _within_limit(self, params: Sequence[Param]) -> list[Param]:
        limit = limits.param_value_limit(params, self._target.param_value_limit)
        return [Param(param.key, param.value[:limit]) for param in params]

    def _metric(self, change: Change) -> Metric:
        metric = change.metric()
        model = metric.model_id
        return metric if model is None else metric._replace(model_id=self._references.text(model))

    def _recorded(self, keys: Iterable[str]) -> set[Identity]:
        """What the target has of these metrics."""
        found: set[Identity] = set()
        for key in keys:
            token = ""
            while True:
                page = self._target.get_metric_history(self._run_id, key, max_results=_PAGE, page_token=token)
                found.update(map(_metric_identity, page.metrics))
                token = page.next_page_token
                if not token:
                    break
        return found

    def _delete_tag(self, key: str) -> None:
        try:
            self._target.delete_tag(self._run_id, key)
        except NotFoundError:  # it never arrived there, or the deletion did, without an answer
            return

    def _update(self, change: Change) -> None:
        status = change.key
        self._target.update_run(self._run_id, status=status, end_time=change.value)  # type: ignore[arg-type]

    def _send_inputs(self) -> None:
        """All that the run read and wrote: what the target has of it already stays as it is."""
        from projrun.tracking.inputs import Inputs
        from projrun.tracking.parts import find_part

        target = find_part(self._target, Inputs)
        if target is None:
            self.refused.append(f"the datasets and models of run {self._run_id}: the store keeps none")
            return
        run, text = self._journal.store.get_run(self._held.run.run_id), self._references.text
        if run.datasets or run.model_inputs:
            datasets = [self._references.dataset(dataset) for dataset in run.datasets]
            target.log_inputs(self._run_id, datasets, [text(model) for model in run.model_inputs])
        if run.model_outputs:
            outputs = [ModelOutput(text(output.model_id), output.step) for output in run.model_outputs]
            target.log_outputs(self._run_id, outputs)


def _batch(waiting: Sequence[Change]) -> list[Change]:
    """As many of the oldest changes as one request takes."""
    if not waiting or waiting[0].kind not in _MOST:
        return list(waiting[:1])
    counts = dict.fromkeys(_MOST, 0)

    def fits(change: Change) -> bool:
        if change.kind not in counts:
            return False
        counts[change.kind] += 1
        return counts[change.kind] <= _MOST[change.kind]

    return list(takewhile(fits, waiting))


def _identity(change: Change) -> Identity:
    return _metric_identity(change.metric())


def _metric_identity(metric: Metric) -> Identity:
    """What tells one value from another. MLflow's servers keep an infinity as the largest number."""
    value = metric.value
    if math.isnan(value):
        return metric.key, metric.timestamp, metric.step, "nan"
    if math.isinf(value):
        value = math.copysign(sys.float_info.max, value)
    return metric.key, metric.timestamp, metric.step, value
