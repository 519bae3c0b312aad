"""One run, brought into its place in the target: what is missing there, and its end last.

The end says that all of it is there. A run whose place has not ended as it did was broken off, or goes on: what the
place has of it is read then, and the rest is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby, islice
from math import isnan
from operator import attrgetter
from typing import NamedTuple

from projrun.journal.batches import send_inputs
from projrun.journal.references import References
from projrun.journal.values import Identity, ValueSender, identity
from projrun.tracking import limits
from projrun.tracking.entities import LoggedModel, Metric, Run, Tag
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.origin import ORIGIN
from projrun.tracking.parts import find_part
from projrun.tracking.runs import RunStore
from projrun.tracking.statuses import LifecycleStage, RunStatus

_BATCH = 10_000
"""Points at a time: a database keeps each batch at once, and a server's client divides it."""
_ENDED = ("FINISHED", "FAILED", "KILLED")

Moment = tuple[str, int, int]
Named = Mapping[Moment, Sequence[Metric]]
"""Of a run, the values that name a model, by metric, time and step."""


def named_values(models: Iterable[LoggedModel]) -> dict[str, dict[Moment, list[Metric]]]:
    """The values that name models, by run."""
    named: dict[str, dict[Moment, list[Metric]]] = {}
    for model in models:
        for metric in model.metrics:
            run = named.setdefault(metric.run_id or model.source_run_id, {})
            run.setdefault((metric.key, metric.timestamp, metric.step), []).append(metric)
    return named


class Place(NamedTuple):
    """What is known of a run's place in the target."""

    run_id: str
    status: RunStatus
    end_time: int | None
    lifecycle_stage: LifecycleStage
    artifact_uri: str
    new: bool = False

    @classmethod
    def of(cls, run: Run, *, new: bool = False) -> Place:
        """The place that a run of the target is."""
        return cls(run.run_id, run.status, run.end_time, run.lifecycle_stage, run.artifact_uri, new)

    def has_all_of(self, run: Run) -> bool:
        """Whether the whole run is there. One that was deleted in the target stays as it is."""
        ended = (run.status, run.end_time) == (self.status, self.end_time) and run.status in _ENDED
        return self.lifecycle_stage == "deleted" or (ended and run.lifecycle_stage == "active")


def run_name(run: Run) -> str:
    """What the run is called; MLflow 1 gave no names, and a store would make one up."""
    return run.run_name or run.tag("mlflow.runName") or run.run_id[:8]


class RunTransfer:
    """Brings runs into a target."""

    def __init__(self, target: RunStore, references: References, on_points: Callable[[int], None]) -> None:
        self._target = target
        self._references = references
        self._on_points = on_points
        self.missing: list[str] = []
        self.named: set[tuple[str, Moment]] = set()
        """The values in the target that name models of it."""

    def send_values(self, run: Run, points: Iterable[Metric], named: Named, place: Place) -> None:
        """Params, tags, metrics and what the run read and wrote."""
        sender = ValueSender(self._target, place.run_id, self._references)
        there = None if place.new else self._target.get_run(place.run_id)
        params = [param for param in run.params if there is None or param not in there.params]
        # An empty name names no run.
        tags = [tag for tag in run.tags if tag.key != ORIGIN and (tag.key != "mlflow.runName" or tag.value)]
        if there is not None:
            tags = [tag for tag in tags if self._references.tag(tag) not in there.tags]
        sender.send([*params, *tags])
        known = set() if there is None else {metric.key for metric in there.metrics}
        waiting = with_models(points, named)
        for batch in _batches(self._missing(waiting, sender, known)):
            refused = len(sender.refused)
            sender.send(batch)
            self._on_points(len(batch) - (len(sender.refused) - refused))
        self._send_inputs(run, place, there)
        self.missing += [f"run {run.run_id}: {text}" for text in sender.refused]
        cut = [f"param {key}" for key in sender.cut]
        cut += [f"tag {tag.key}" for tag in tags if len(tag.value) > limits.TAG_VALUE]
        self.missing += [f"run {run.run_id}: the end of {what}, too long there" for what in cut]

    def _missing(self, points: Iterable[Metric], sender: ValueSender, known: set[str]) -> Iterator[Metric]:
        """Those that the target does not have; what it has is read one metric at a time."""
        for key, values in groupby(points, attrgetter("key")):
            if key not in known:
                yield from values
                continue
            there = sender.recorded([key])
            yield from (metric for metric in values if not self._is_there(metric, there))

    def _is_there(self, metric: Metric, there: Set[Identity]) -> bool:
        """A server may have kept a value, and failed before it noted which model it names."""
        model = self._references.text(metric.model_id or "")
        named = not model or (model, (metric.key, metric.timestamp, metric.step)) in self.named
        return named and identity(metric) in there

    def _send_inputs(self, run: Run, place: Place, there: Run | None) -> None:
        """MLflow's servers fail where they have a model already."""
        text = self._references.text
        if there is not None:
            uses = {(use.name, use.digest) for use in there.datasets}
            written = {output.model_id for output in there.model_outputs}
            run = run._replace(
                datasets=tuple(use for use in run.datasets if (use.name, use.digest) not in uses),
                model_inputs=tuple(
                    model for model in run.model_inputs if text(model) not in there.model_inputs
                ),
                model_outputs=tuple(
                    output for output in run.model_outputs if text(output.model_id) not in written
                ),
            )
        some = run.datasets or run.model_inputs or run.model_outputs
        if some and not send_inputs(self._target, place.run_id, run, self._references):
            self.missing.append(f"run {run.run_id}: its datasets and models; the target keeps none")

    def end(self, run: Run, place: Place) -> None:
        """The run's end, and its deletion."""
        if (run.status, run.end_time) != (place.status, place.end_time):
            self._target.update_run(place.run_id, status=run.status, end_time=run.end_time)
        if run.lifecycle_stage == "deleted":
            life_cycle = find_part(self._target, LifeCycle)
            if life_cycle is None:
                self.missing.append(f"run {run.run_id}: that it was deleted; the target deletes none")
            else:
                life_cycle.delete_run(place.run_id)


def with_models(points: Iterable[Metric], named: Named) -> Iterator[Metric]:
    """Each value once, or once for each model that it names."""
    if not named:
        yield from points
        return
    left = {moment: list(metrics) for moment, metrics in named.items()}
    for point in points:
        found = left.get((point.key, point.timestamp, point.step), [])
        # MLflow keeps the NaN of a model as 0.
        value = 0.0 if isnan(point.value) else point.value
        mine = [metric for metric in found if isnan(metric.value) or metric.value in (value, point.value)]
        for metric in mine:
            found.remove(metric)
            yield metric._replace(value=point.value)
        if not mine:
            yield point
    for rest in left.values():
        yield from rest


def _batches(points: Iterator[Metric]) -> Iterator[list[Metric]]:
    while batch := list(islice(points, _BATCH)):
        yield batch


def tags_of(tags: Iterable[Tag], there: Iterable[Tag]) -> list[Tag]:
    """Those whose keys are not there."""
    keys = {tag.key for tag in there}
    return [tag for tag in tags if tag.key not in keys]
