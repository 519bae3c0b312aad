"""Requests as clients in several languages spell them: the rules of protobuf's JSON, MLflow's words for faults."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from projrun.errors import InvalidValueError
from projrun.server import wire
from projrun.server.decoding import decode, read_fields
from projrun.server.places import ArtifactUri, Places
from projrun.tracking.statuses import RunStatus

HOOK = Places(None).read


class Inner(wire.Message):
    """A message in a message."""

    first_name: str
    step: wire.Int64 = 0


class Example(wire.Message):
    """A field of each kind."""

    REFUSED: ClassVar[tuple[str, ...]] = ("not_served",)
    model_name: str
    end_time: wire.Int64 | None = None
    value: float = 0.0
    is_new: bool = False
    status: RunStatus | None = None
    stages: tuple[str, ...] = ()
    inner_parts: tuple[Inner, ...] = ()
    labels: dict[str, str] = {}  # noqa: RUF012 -- msgspec copies it
    place: ArtifactUri | None = None


def read(**fields: Any) -> Example:
    return decode(json.dumps({"model_name": "m", **fields}).encode(), Example, HOOK)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"modelName": "m", "model_name": None}, {}),
        ({"unknown": {"deep": [1]}}, {}),
        ({"endTime": 5}, {"end_time": 5}),
        ({"end_time": "5"}, {"end_time": 5}),
        ({"endTime": "-5"}, {"end_time": -5}),
        ({"endTime": 5.0}, {"end_time": 5}),
        ({"end_time": None, "value": None, "stages": None, "labels": None, "inner_parts": None}, {}),
        ({"value": "1.5"}, {"value": 1.5}),
        ({"value": "Infinity", "other": 1}, {"value": float("inf")}),
        ({"isNew": True}, {"is_new": True}),
        ({"status": "FAILED"}, {"status": "FAILED"}),
        ({"status": 4}, {"status": "FAILED"}),
        ({"status": "4"}, {"status": "FAILED"}),
        ({"stages": ["a", "b"], "x": 1}, {"stages": ("a", "b")}),
        ({"innerParts": [{"firstName": "a", "step": "7", "x": 1}]}, {"inner_parts": (Inner("a", 7),)}),
        ({"labels": {"a_b": "1", "aB": "2"}, "x": 1}, {"labels": {"a_b": "1", "aB": "2"}}),
        ({"not_served": ""}, {}),
    ],
)
def test_spellings(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert read(**fields) == Example("m", **expected)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_name": ""}, "Missing value for required parameter 'model_name'."),
        ({"model_name": None}, "Missing value for required parameter 'model_name'."),
        (
            {"model_name": 5},
            "Invalid value 5 for parameter 'model_name' supplied:  Hint: Value was of type 'int'.",
        ),
        ({"end_time": True}, "Invalid value true for parameter 'end_time' supplied:"),
        ({"end_time": "soon"}, "Invalid value \"soon\" for parameter 'end_time' supplied:"),
        ({"end_time": 2**63}, f"Invalid value {2**63} for parameter 'end_time' supplied:"),
        ({"end_time": 1.5}, "Invalid value 1.5 for parameter 'end_time' supplied:"),
        ({"value": "abc"}, "Invalid value \"abc\" for parameter 'value' supplied:"),
        ({"isNew": "maybe"}, "Invalid value \"maybe\" for parameter 'is_new' supplied:"),
        ({"status": "DONE"}, "Invalid value \"DONE\" for parameter 'status' supplied:"),
        ({"status": 6}, "Invalid value 6 for parameter 'status' supplied:"),
        ({"stages": "a"}, "Invalid value \"a\" for parameter 'stages' supplied:"),
        ({"stages": ["a", None]}, "Invalid value null for parameter 'stages[1]' supplied:"),
        ({"inner_parts": [{"step": 1}]}, "Missing value for required parameter 'inner_parts[0].first_name'."),
        ({"inner_parts": [5]}, "Invalid value 5 for parameter 'inner_parts[0]' supplied:"),
        ({"labels": [1]}, "Invalid value [1] for parameter 'labels' supplied:"),
        ({"place": 5}, "Invalid value 5 for parameter 'place' supplied:"),
        (
            {"end_time": 5, "endTime": 6},
            "Request specifies both 'end_time' and 'endTime'; provide only one of them.",
        ),
        ({"notServed": "x"}, "the parameter 'not_served' is not supported"),
    ],
)
def test_faults(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read(**fields)
    assert caught.value.message.startswith(message)


def test_bodies_of_old_clients_are_json_in_json() -> None:
    assert decode(json.dumps('{"model_name": "m"}').encode(), Example, HOOK) == Example("m")


def test_values_of_a_query_are_texts() -> None:
    fields = {"model_name": "m", "is_new": "True", "end_time": "7", "stages": ["a"]}
    assert read_fields(fields, Example, HOOK) == Example("m", 7, is_new=True, stages=("a",))


def test_one_of_a_runs_names_is_required() -> None:
    assert decode(b'{"runUuid": "r"}', wire.OfRun, HOOK).run == "r"
    for body in (b"{}", b'{"unknown": 1}', b'{"run_id": ""}', b""):
        with pytest.raises(InvalidValueError, match="Missing value for required parameter 'run_id'"):
            _ = decode(body, wire.OfRun, HOOK).run
