"""The signature of a model: the columns or tensors that it takes and gives, and its params.

MLflow writes each list as a JSON text in the MLmodel file (`mlflow.types.schema`). Types are MLflow's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from projrun.bounded import parse_json

ARRAY, MAP, OBJECT, TENSOR, ANY = "array", "map", "object", "tensor", "any"
SCALARS = ("boolean", "integer", "long", "float", "double", "string", "binary", "datetime")
_MOST_DIMENSIONS = 64
"""NumPy's limit."""


class DataType(NamedTuple):
    """The type of a column, or of what is in one."""

    word: str
    """One of `SCALARS`, `array`, `map`, `object`, `any`, `sparkml vector`, or `tensor`."""
    inner: DataType | None = None
    """Of the items of an array, or the values of a map."""
    properties: tuple[Field, ...] = ()
    """Of an object."""
    dtype: str = ""
    """NumPy's name, of a tensor."""
    shape: tuple[int, ...] | None = None
    """Of a tensor, or of a param that is a list; -1 stands for any length."""

    def __str__(self) -> str:
        if self.word == ARRAY:
            return f"array({self.inner})"
        if self.word == MAP:
            return f"map({self.inner})"
        if self.word == OBJECT:
            return f"object({', '.join(f'{field.name}: {field.type}' for field in self.properties)})"
        lengths = "" if self.shape is None else f"({', '.join(str(length) for length in self.shape)})"
        return f"{self.dtype or self.word}{lengths}"


class Field(NamedTuple):
    """A column, a tensor, a param, or a property of an object."""

    name: str
    """Empty where a signature names nothing: a single tensor, or columns by their place."""
    type: DataType
    required: bool = True
    default: object = None
    """Of a param."""


class Signature(NamedTuple):
    """What a model takes and gives. An empty tuple is a part that the signature lacks."""

    inputs: tuple[Field, ...] = ()
    outputs: tuple[Field, ...] = ()
    params: tuple[Field, ...] = ()


def parse_signature(written: Mapping[str, Any]) -> Signature:
    """From the mapping of the MLmodel file. Raises ValueError for what is no signature."""
    return Signature(
        _fields(written.get("inputs")), _fields(written.get("outputs")), _fields(written.get("params"))
    )


def _fields(text: object) -> tuple[Field, ...]:
    if text is None:
        return ()
    listed = parse_json(text) if isinstance(text, str) else None
    if not isinstance(listed, list):
        raise ValueError("not a list of fields")
    return tuple(_field(each) for each in listed)


def _field(given: object, name: str = "") -> Field:
    if not isinstance(given, dict):
        raise ValueError("a field is not a mapping")
    # Older files have `optional` where newer ones have `required`.
    required = bool(given.get("required", not given.get("optional", False)))
    return Field(str(given.get("name") or name), _type(given), required, given.get("default"))


def _type(given: object) -> DataType:
    if isinstance(given, str):
        return DataType(given)
    word = given.get("type", given.get("dtype")) if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(word, str):
        raise ValueError("a field has no type")
    if word == TENSOR:
        return _tensor(given.get("tensor-spec"))
    if word in (ARRAY, MAP):
        return DataType(word, _type(given.get("items" if word == ARRAY else "values")))
    if word == OBJECT:
        properties = given.get("properties")
        if not isinstance(properties, dict):
            raise ValueError("an object has no properties")
        return DataType(word, properties=tuple(_field(each, name) for name, each in properties.items()))
    return DataType(word, shape=_shape(given.get("shape")))


def _tensor(given: object) -> DataType:
    if not isinstance(given, dict) or not isinstance(given.get("dtype"), str):
        raise ValueError("a tensor has no dtype")
    return DataType(TENSOR, dtype=given["dtype"], shape=_shape(given.get("shape")))


def _shape(given: object) -> tuple[int, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(length, int) for length in given):
        raise ValueError("a shape is not a list of lengths")
    if len(given) > _MOST_DIMENSIONS:
        raise ValueError(f"a shape has more than {_MOST_DIMENSIONS} dimensions")
    return tuple(given)
