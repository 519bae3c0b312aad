"""Traces as MLflow's clients of 3.x and 2.x send and read them."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

import msgspec

from projrun.errors import InvalidValueError
from projrun.server import wire
from projrun.server.wire import Message
from projrun.tracking.entities import Tag
from projrun.tracking.traces import Assessment, TraceInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


class Experiment(Message):
    """An experiment, as the place of a trace."""

    experiment_id: str = ""


class Location(Message):
    """Where a trace is."""

    REFUSED: ClassVar[tuple[str, ...]] = ("inference_table",)

    type: str = "MLFLOW_EXPERIMENT"
    mlflow_experiment: Experiment = msgspec.field(default_factory=Experiment)


class Info(Message, omit_defaults=True):
    """MLflow 3's TraceInfoV3."""

    REFUSED: ClassVar[tuple[str, ...]] = ("request", "response")

    trace_id: str
    trace_location: Location
    request_time: datetime = _EPOCH
    client_request_id: str = ""
    request_preview: str = ""
    response_preview: str = ""
    execution_duration: str = ""
    state: str = "STATE_UNSPECIFIED"
    trace_metadata: dict[str, str] = msgspec.field(default_factory=dict)
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    assessments: list[dict[str, Any]] = msgspec.field(default_factory=list)

    @property
    def experiment(self) -> str:
        """The id of its experiment."""
        return self.trace_location.mlflow_experiment.experiment_id

    def entity(self) -> TraceInfo:
        """As the store takes it."""
        return TraceInfo(
            self.trace_id,
            self.experiment,
            round((self.request_time - _EPOCH) / _MILLISECOND),
            _milliseconds(self.execution_duration),
            self.state,
            self.client_request_id,
            self.request_preview,
            self.response_preview,
            tuple(Tag(*pair) for pair in self.trace_metadata.items()),
            tuple(Tag(*pair) for pair in self.tags.items()),
            tuple(assessment(each, self.trace_id) for each in self.assessments),
        )


class OldInfo(msgspec.Struct, omit_defaults=True):
    """MLflow 2's TraceInfo."""

    request_id: str
    experiment_id: str
    timestamp_ms: int
    execution_time_ms: int | None
    status: str
    request_metadata: list[wire.Pair] = []
    tags: list[wire.Pair] = []


def info(trace: TraceInfo) -> Info:
    """As clients of 3.x read it."""
    duration = trace.execution_duration
    return Info(
        trace.trace_id,
        Location("MLFLOW_EXPERIMENT", Experiment(trace.experiment_id)),
        _EPOCH + trace.request_time * _MILLISECOND,
        trace.client_request_id,
        trace.request_preview,
        trace.response_preview,
        "" if duration is None else f"{duration // 1000}.{duration % 1000:03}s",
        trace.state,
        {pair.key: pair.value for pair in trace.metadata},
        {tag.key: tag.value for tag in trace.tags},
        [msgspec.json.decode(each.body) for each in trace.assessments],
    )


def old_info(trace: TraceInfo) -> OldInfo:
    """As clients of 2.x read it."""
    return OldInfo(
        trace.trace_id,
        trace.experiment_id,
        trace.request_time,
        trace.execution_duration,
        trace.state,
        [wire.Pair(*pair) for pair in trace.metadata],
        [wire.Pair(*tag) for tag in trace.tags],
    )


def assessment(body: dict[str, Any], trace_id: str) -> Assessment:
    """With an id and times where the client gave none."""
    identifier = str(body.get("assessment_id") or f"a-{secrets.token_hex(16)}")
    whole = {
        "create_time": now(),
        "last_update_time": now(),
        "valid": True,
        **{key: value for key, value in body.items() if value is not None},
        "assessment_id": identifier,
        "trace_id": trace_id,
    }
    return Assessment(identifier, msgspec.json.encode(whole).decode())


def now() -> str:
    """The time as protobuf's JSON writes it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(duration: str) -> int | None:
    """protobuf's Duration in JSON: `0.012s`."""
    if not duration:
        return None
    try:
        return round(float(duration.removesuffix("s")) * 1000)
    except (ValueError, OverflowError):
        raise InvalidValueError(f"invalid duration {duration!r}") from None
