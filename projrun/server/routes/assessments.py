"""Assessments of traces: what people and judges say of them."""

from __future__ import annotations

from typing import Any

import msgspec

from projrun.server import permissions, wire
from projrun.server.api import reading, writing
from projrun.server.trace_messages import assessment, now
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.traces import Traces

_PATH = "traces/{trace_id}/assessments"
_VALUES = frozenset({"feedback", "expectation"})
"""Fields of which an update gives one, in place of the other."""


class _Create(wire.Message):
    trace_id: str
    assessment: dict[str, Any]

    @property
    def identifier(self) -> str:
        return self.trace_id


class _One(wire.Message):
    trace_id: str
    assessment_id: str

    @property
    def identifier(self) -> str:
        return self.trace_id


class _Update(_One):
    assessment: dict[str, Any] = msgspec.field(default_factory=dict)
    update_mask: str = ""


class _Answer(msgspec.Struct):
    assessment: msgspec.Raw


def _create(store: RunStore, message: _Create) -> _Answer:
    made = assessment(message.assessment, message.trace_id)
    part_of(store, Traces).set_assessment(message.trace_id, made)
    return _Answer(msgspec.Raw(made.body.encode()))


def _get(store: RunStore, message: _One) -> _Answer:
    found = part_of(store, Traces).get_assessment(message.trace_id, message.assessment_id)
    return _Answer(msgspec.Raw(found.body.encode()))


def _update(store: RunStore, message: _Update) -> _Answer:
    """The fields that the mask names are written over what was there."""
    traces = part_of(store, Traces)
    before = msgspec.json.decode(traces.get_assessment(message.trace_id, message.assessment_id).body)
    names = [name for name in message.update_mask.split(",") if name] or list(message.assessment)
    changed = {name: message.assessment.get(name) for name in map(_snake, names)}
    kept = {key: value for key, value in before.items() if not (key in _VALUES and _VALUES & changed.keys())}
    made = assessment({**kept, **changed, "last_update_time": now()}, message.trace_id)
    traces.set_assessment(message.trace_id, made)
    return _Answer(msgspec.Raw(made.body.encode()))


def _snake(name: str) -> str:
    """protobuf's JSON writes a mask's names in camelCase."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _delete(store: RunStore, message: _One) -> None:
    part_of(store, Traces).delete_assessment(message.trace_id, message.assessment_id)


ROUTES = (
    writing("POST", _PATH, _Create, _create, needs=permissions.EDIT_TRACE, version="3.0"),
    reading("GET", f"{_PATH}/{{assessment_id}}", _One, _get, needs=permissions.READ_TRACE, version="3.0"),
    writing(
        "PATCH", f"{_PATH}/{{assessment_id}}", _Update, _update, needs=permissions.EDIT_TRACE, version="3.0"
    ),
    writing(
        "DELETE", f"{_PATH}/{{assessment_id}}", _One, _delete, needs=permissions.EDIT_TRACE, version="3.0"
    ),
)
