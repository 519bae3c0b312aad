"""A request to begin with, for a model that has no example of its own."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from projrun.models.serving.docs.schemas import is_tensor
from projrun.models.signature import ARRAY, MAP, OBJECT, DataType, Field, Signature

_VALUES: dict[str, Any] = {
    "boolean": False, "bool": False, "string": "", "str": "", "binary": "", "datetime": "2026-01-31T00:00:00",
}  # fmt: skip
"""Of all other types it is 0."""
_MOST = 1000
"""Cells of a tensor: a picture would fill the page."""


def sample_request(signature: Signature) -> dict[str, Any] | None:
    """The body of a request of one row, of zeros and empty texts; None where it would be too long."""
    fields = signature.inputs
    if sum(_cells(field.type) for field in fields) > _MOST:
        return None
    if not fields:
        return {"dataframe_records": [{}]}
    values = [_value(field.type) for field in fields]
    if is_tensor(fields):
        return {"inputs": _named(fields, values) if fields[0].name else values[0]}
    if all(field.name for field in fields):
        return {"dataframe_records": [_named(fields, values)]}
    return {"dataframe_split": {"data": [values]}}


def _named(fields: Sequence[Field], values: Sequence[Any]) -> dict[str, Any]:
    return {field.name: value for field, value in zip(fields, values, strict=True)}


def _cells(of: DataType) -> int:
    return prod(max(length, 1) for length in of.shape or ())


def _value(of: DataType) -> Any:
    if of.word == ARRAY and of.inner:
        return [_value(of.inner)]
    if of.word == MAP and of.inner:
        return {"key": _value(of.inner)}
    if of.word == OBJECT:
        return {field.name: _value(field.type) for field in of.properties}
    value = _VALUES.get(of.dtype or of.word, 0)
    for length in reversed(of.shape or ()):
        value = [value] * (length if length >= 0 else 1)
    return value
