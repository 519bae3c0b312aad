"""Answers of the scoring server, in MLflow's shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from projrun.tuples import NamedTuple

JSON = "application/json"
_PART = 500
"""Characters of an error that are shown of its beginning and of its end."""


class Answer(NamedTuple):
    """What a client gets."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = {}


class _Error(msgspec.Struct):
    """What is read of an error in MLflow's shape."""

    message: str


def error_message(answer: Answer) -> str:
    """What an error says, in MLflow's shape or in words alone."""
    try:
        return msgspec.json.decode(answer.body, type=_Error).message
    except msgspec.DecodeError:
        return answer.body.decode("utf-8", "replace")


def error_line(answer: Answer) -> str:
    """The same for a person. MLflow repeats the whole input, and ends with what it lacks: the middle is left out."""
    line = " ".join(error_message(answer).split())
    return line if len(line) <= 2 * _PART else f"{line[:_PART]} ... {line[-_PART:]}"


def json_answer(value: object, status: int = 200) -> Answer:
    """A value as JSON, in which there is no NaN: it becomes null."""
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        text = json.dumps(json.loads(json.dumps(value), parse_constant=lambda name: None))
    return Answer(status, text.encode())


def refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error in the shape of MLflow's."""
    return Answer(status, msgspec.json.encode({"error_code": code, "message": message}), JSON, headers or {})


def overdue() -> Answer:
    """MLflow's own words, which are no JSON although it says so."""
    return Answer(504, b"Request processing time exceeded limit")


def unavailable(message: str) -> Answer:
    """The same request may succeed a little later."""
    return refusal(503, "TEMPORARILY_UNAVAILABLE", message, {"retry-after": "1"})
