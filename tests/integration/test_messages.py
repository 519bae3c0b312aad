"""Our messages have the fields of MLflow's, as the protos of the installed mlflow define them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import pytest

from projrun.server.app import ROUTES
from projrun.server.wire import Message
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.integration

Fields = Mapping[str, Any]

NUMBERS = ("TYPE_INT64", "TYPE_INT32")


@pytest.fixture(scope="module")
def protos(mlflow3_python: Path) -> Mapping[str, Any]:
    """By method and path: the name of MLflow's message, and its fields with their types."""
    script = REPOSITORY / "tests/integration/mlflow_messages.py"
    printed = subprocess.run([mlflow3_python, script], check=True, capture_output=True, timeout=120).stdout
    found: Mapping[str, Any] = json.loads(printed)
    return found


def differences(message: type[msgspec.Struct], fields: Fields, at: str) -> Iterator[str]:
    """How a message of ours differs from MLflow's fields."""
    ours = {field.name: field.type for field in msgspec.structs.fields(message)}
    refused = set(message.REFUSED) if issubclass(message, Message) else set()
    for name in sorted(fields.keys() - ours.keys() - refused):
        yield f"{at}.{name}: neither served nor refused"
    for name in sorted(refused - fields.keys()):
        yield f"{at}.{name}: refused, and unknown to MLflow"
    for name in sorted(ours.keys() & fields.keys()):
        yield from type_differences(_inner(ours[name]), fields[name], f"{at}.{name}")


def type_differences(kind: Any, theirs: Any, at: str) -> Iterator[str]:
    """How a field's type differs from MLflow's."""
    if get_origin(kind) is Literal:
        expected = [word for word, number in sorted(theirs.items(), key=lambda pair: pair[1]) if number]
        if list(get_args(kind)) != expected:
            yield f"{at}: {get_args(kind)} instead of {expected}"
    elif isinstance(theirs, dict) and "fields" in theirs:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from differences(kind, theirs["fields"], at)
    elif (kind is int) != (theirs in NUMBERS) or (kind is bool) != (theirs == "TYPE_BOOL"):
        yield f"{at}: {kind} instead of {theirs}"


def _inner(kind: Any) -> Any:
    """A field's own type, or that of its items, without None."""
    while get_origin(kind) not in (None, Literal):
        arguments = [each for each in get_args(kind) if each is not type(None)]
        kind = arguments[-1] if get_origin(kind) is dict else arguments[0]
    return kind


def test_every_field_of_mlflow_is_served_or_refused(protos: Mapping[str, Any]) -> None:
    compared, found = 0, list[str]()
    for route in ROUTES:
        theirs = protos.get(f"{route.methods[0]} {route.paths[0]}")
        if theirs is not None and route.streamer is None:
            compared += 1
            found += differences(route.message, theirs["fields"], f"{route.paths[0]} {theirs['message']}")
    assert compared > 30
    assert found == []


def test_annotations_are_seen_through() -> None:
    assert _inner(Annotated[int, msgspec.Meta(ge=0)] | None) is int
    assert _inner(tuple[str, ...]) is str


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (msgspec.defstruct("Short", [("a", str)], bases=(Message,)), ["x.b: neither served nor refused"]),
        (
            msgspec.defstruct("Other", [("a", int), ("b", int)], bases=(Message,)),
            ["x.a: <class 'int'> instead of TYPE_STRING"],
        ),
    ],
)
def test_differences_are_found(message: type[Message], expected: list[str]) -> None:
    assert list(differences(message, {"a": "TYPE_STRING", "b": "TYPE_INT64"}, "x")) == expected
