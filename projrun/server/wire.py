"""What clients send, and what `answers` sends back as it is: messages of MLflow's REST API, as Structs."""

from __future__ import annotations

import math

import msgspec

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Tag


class Pair(msgspec.Struct):
    """A param or a tag; protobuf's JSON omits an empty value."""

    key: str = ""
    value: str = ""

    def param(self) -> Param:
        """As a param."""
        return Param(self.key, self.value)

    def tag(self) -> Tag:
        """As a tag."""
        return Tag(self.key, self.value)


class MetricFields(msgspec.Struct, kw_only=True):
    """A metric. Protobuf's JSON writes NaN and the infinities as text."""

    key: str = ""
    value: float | str
    timestamp: int
    step: int = 0
    dataset_name: str | None = None
    dataset_digest: str | None = None
    model_id: str | None = None

    def metric(self) -> Metric:
        """As a metric. Raises InvalidValueError for a string that is not a number."""
        return Metric(
            self.key,
            _number(self.value),
            self.timestamp,
            self.step,
            self.dataset_name or None,
            self.dataset_digest or None,
            self.model_id or None,
        )


class OfRun(msgspec.Struct):
    """A message about a run; old clients name it `run_uuid`, and newer ones send both."""

    run_id: str = ""
    run_uuid: str = ""

    @property
    def run(self) -> str:
        """The run's id. Raises InvalidValueError where none is given."""
        if not (self.run_id or self.run_uuid):
            raise InvalidValueError("missing value for required parameter 'run_id'")
        return self.run_id or self.run_uuid


class DatasetFields(msgspec.Struct, omit_defaults=True):
    """A dataset."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class DatasetInput(msgspec.Struct, omit_defaults=True):
    """A dataset that a run read, with the tags of its use."""

    dataset: DatasetFields
    tags: tuple[Pair, ...] = ()

    def entity(self) -> Dataset:
        """As a dataset."""
        fields = self.dataset
        return Dataset(
            fields.name,
            fields.digest,
            fields.source_type,
            fields.source,
            fields.schema,
            fields.profile,
            tags(self.tags),
        )


class ModelReference(msgspec.Struct):
    """A logged model that a run read, or wrote at a step."""

    model_id: str
    step: int = 0

    def output(self) -> ModelOutput:
        """As a run's output."""
        return ModelOutput(self.model_id, self.step)


def params(pairs: tuple[Pair, ...]) -> tuple[Param, ...]:
    """Pairs as params."""
    return tuple(pair.param() for pair in pairs)


def tags(pairs: tuple[Pair, ...]) -> tuple[Tag, ...]:
    """Pairs as tags."""
    return tuple(pair.tag() for pair in pairs)


def _number(value: float | str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise InvalidValueError(f"the value of a metric is a number, not {value!r}") from error


def number(value: float) -> float | str:
    """A float as protobuf's JSON writes it: JSON itself has no NaN and no infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
