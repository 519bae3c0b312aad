"""What clients send, and what `answers` sends back as it is: messages of MLflow's REST API, as Structs."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, ClassVar

import msgspec

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Tag
from projrun.version import __version__

SEE_DOCS = " See the API docs for more information about request parameters."

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""protobuf's int64: larger numbers fit into no column of a store."""


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """What a client sends. A field without a default is required, and a text that is required is not empty.

    Fields that are not known are ignored all the same: what is spelled otherwise than here, or is unknown, is
    refused by msgspec, and then read by the rules of `decoding`.
    """

    REFUSED: ClassVar[tuple[str, ...]] = ()
    """Fields of MLflow's message that are known and not served: a request that uses one is refused."""
    EITHER: ClassVar[tuple[str, ...]] = ()
    """One of these fields is required."""

    @property
    def little(self) -> bool:
        """Of a quick route's message: whether it reads or writes as little as most of them."""
        return True


def missing(path: str) -> InvalidValueError:
    """A required parameter is missing."""
    return InvalidValueError(f"Missing value for required parameter '{path}'.{SEE_DOCS}")


class Pair(Message, gc=False):
    """A param or a tag; protobuf's JSON omits an empty value."""

    key: str = ""
    value: str = ""

    def param(self) -> Param:
        """As a param."""
        return Param(self.key, self.value)

    def tag(self) -> Tag:
        """As a tag."""
        return Tag(self.key, self.value)


class MetricFields(Message, kw_only=True, gc=False):
    """A metric. Protobuf's JSON writes NaN and the infinities as text."""

    key: str = ""
    value: float
    timestamp: Int64
    step: Int64 = 0
    dataset_name: str | None = None
    dataset_digest: str | None = None
    model_id: str | None = None
    run_id: str | None = None
    """Of a metric of a logged model. The run that a message is about counts."""

    def metric(self) -> Metric:
        """As a metric, whose fields are these in this order."""
        return Metric._make(msgspec.structs.astuple(self)[:8])


class OfRun(Message):
    """A message about a run; old clients name it `run_uuid`, and newer ones send both."""

    EITHER: ClassVar[tuple[str, ...]] = ("run_id", "run_uuid")
    run_id: str = ""
    run_uuid: str = ""

    @property
    def run(self) -> str:
        """The run's id. Raises InvalidValueError where none is given."""
        if not (self.run_id or self.run_uuid):
            raise missing("run_id")
        return self.run_id or self.run_uuid


class DatasetFields(Message, omit_defaults=True):
    """A dataset."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Message, omit_defaults=True):
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


class ModelReference(Message):
    """A logged model that a run read, or wrote at a step."""

    model_id: str
    step: Int64 = 0

    def output(self) -> ModelOutput:
        """As a run's output."""
        return ModelOutput(self.model_id, self.step)


class SessionUser(msgspec.Struct):
    """Who is signed in."""

    name: str
    is_admin: bool


class SessionAnswer(msgspec.Struct, kw_only=True):
    """What a page hears of the server and of who is signed in."""

    version: str = __version__
    users: bool
    """Whether callers sign in."""
    read_only: bool
    default_permission: str
    user: SessionUser | None = None
    signed_in_by: str = ""
    """`session`, `password`, `token` or `proxy`."""
    experiments: dict[str, str] = {}
    """The level of permission, for those that were asked for."""
    models: dict[str, str] = {}


_new_metric = partial(tuple.__new__, Metric)
"""As `Metric._make`, which is a function in Python."""


def metrics(fields: tuple[MetricFields, ...]) -> tuple[Metric, ...]:
    """As metrics: on the path of every logged value."""
    return tuple(map(_new_metric, map(msgspec.structs.astuple, fields)))


def params(pairs: tuple[Pair, ...]) -> tuple[Param, ...]:
    """Pairs as params."""
    return tuple(pair.param() for pair in pairs)


def tags(pairs: tuple[Pair, ...]) -> tuple[Tag, ...]:
    """Pairs as tags."""
    return tuple(pair.tag() for pair in pairs)


def number(value: float) -> float | str:
    """A float as protobuf's JSON writes it: JSON itself has no NaN and no infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
