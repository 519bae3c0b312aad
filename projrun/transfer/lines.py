"""A store as lines of JSON: one object a line, for programs that know nothing of stores.

`type` says what it is: experiment, run, metric (at most 1,000 points of one: step, timestamp, value), artifact (where a
file is, and its size), logged_model, registered_model, model_version. NaN and infinities are the texts of MLflow's API.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from itertools import groupby, islice
from typing import Any

from projrun.errors import InvalidValueError, TrackingError
from projrun.tracking.entities import Experiment, LoggedModel, Metric, Run, Tag
from projrun.transfer.files import files_of
from projrun.transfer.report import Transferred
from projrun.transfer.runs import Named, named_values, with_models
from projrun.transfer.source import Source

_POINTS = 1000
Line = dict[str, Any]


class Lines:
    """The lines of a source, and what was counted on the way."""

    def __init__(self, source: Source, names: Collection[str] = (), *, artifacts: bool = True) -> None:
        self._source = source
        self._names = names
        self._artifacts = artifacts
        self.done = Transferred()

    def __iter__(self) -> Iterator[Line]:
        """Raises InvalidValueError for a name that no experiment has."""
        found = [*self._source.experiments()]
        unknown = sorted({*self._names} - {experiment.name for experiment in found})
        if unknown:
            raise InvalidValueError(f"{self._source.uri} has no experiment {unknown[0]!r}")
        for experiment in found:
            if not self._names or experiment.name in self._names:
                yield from self._experiment(experiment)
        if not self._names:
            yield from self._registry()

    def _experiment(self, experiment: Experiment) -> Iterator[Line]:
        self.done.experiments += 1
        yield _line("experiment", experiment)
        models = [*self._source.models(experiment)]
        for own in models:
            self.done.models += 1
            line = _line("logged_model", own.model._replace(metrics=()))
            yield {**line, "lifecycle_stage": "deleted" if own.deleted else "active"}
            yield from self._files(own.model)
        named = named_values(own.model for own in models)
        for run in self._source.runs(experiment):
            self.done.runs += 1
            yield _line("run", run._replace(metrics=()))
            yield from self._metrics(run, named.get(run.run_id, {}))
            yield from self._files(run)

    def _metrics(self, run: Run, named: Named) -> Iterator[Line]:
        for about, points in groupby(with_models(self._source.points(run), named), _about):
            key, *names = about
            given = zip(("model_id", "dataset_name", "dataset_digest"), names, strict=True)
            head = {"type": "metric", "run_id": run.run_id, "key": key}
            head |= {name: text for name, text in given if text}
            while some := [*islice(points, _POINTS)]:
                self.done.points += len(some)
                yield {
                    **head,
                    "points": [[point.step, point.timestamp, _number(point.value)] for point in some],
                }

    def _files(self, owner: Run | LoggedModel) -> Iterator[Line]:
        if not self._artifacts:
            return
        kind = "run_id" if isinstance(owner, Run) else "model_id"
        name = getattr(owner, kind)
        try:
            repository = self._source.artifacts(owner)
            for entry in files_of(repository) if repository is not None else ():
                self.done.artifacts += 1
                self.done.size += entry.size or 0
                yield {"type": "artifact", kind: name, "path": entry.path, "size": entry.size}
        except TrackingError as error:
            self.done.missing.append(f"{kind.partition('_')[0]} {name}: its artifacts: {error.message}")

    def _registry(self) -> Iterator[Line]:
        for model in self._source.registered_models():
            yield _line("registered_model", model._replace(latest_versions=()))
            for version in self._source.versions(model):
                self.done.versions += 1
                yield _line("model_version", version)


def _line(kind: str, record: Any) -> Line:
    """A record's fields; tags and params as a mapping."""
    line: Line = {"type": kind}
    for name, value in record._asdict().items():
        if name in ("tags", "params"):
            line[name] = _mapping(value)
        elif name == "datasets":
            line[name] = [{**each._asdict(), "tags": _mapping(each.tags)} for each in value]
        elif isinstance(value, tuple):
            line[name] = [each._asdict() if hasattr(each, "_asdict") else each for each in value]
        else:
            line[name] = value
    for name in ("metrics", "latest_versions"):
        line.pop(name, None)
    return line


def _mapping(pairs: Collection[Tag]) -> dict[str, str]:
    return {pair.key: pair.value for pair in pairs}


def _about(metric: Metric) -> tuple[str, str, str, str]:
    return metric.key, metric.model_id or "", metric.dataset_name or "", metric.dataset_digest or ""


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
