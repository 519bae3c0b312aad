"""The types of a signature, written and named as in MLflow's messages."""

from __future__ import annotations

import datetime
import json

import numpy as np

from .errors import MlflowException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Scalar:
    """One of MLflow's data types: what it is in NumPy, pandas and Python."""

    def __init__(self, name: str, numpy: str, python: type, pandas: Any = None) -> None:
        """`pandas` is NumPy's type, but for texts and bytes."""
        self.name = self.word = name
        self.numpy = np.dtype(numpy)
        self.pandas = self.numpy if pandas is None else pandas
        self.python = python

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return "DataType." + self.name

    def holds(self, value: object) -> bool:
        """Whether a value is of this type without a conversion."""
        # NumPy compares its types with those of Python; no set or hash does.
        return type(value) in [self.numpy, self.pandas, self.python, *_ALSO.get(self.name, ())]


_ALSO = {"datetime": (np.datetime64, datetime.datetime), "binary": (bytearray,)}
SCALARS = {
    each.name: each
    for each in (
        Scalar("boolean", "bool", bool),
        Scalar("integer", "int32", int),
        Scalar("long", "int64", int),
        Scalar("float", "float32", float),
        Scalar("double", "float64", float),
        Scalar("string", "str", str, object),
        Scalar("binary", "bytes", bytes, object),
        Scalar("datetime", "datetime64[ns]", datetime.date),
    )
}
BOOLEAN, DATETIME, BINARY, STRING, DOUBLE = (
    SCALARS[name] for name in ("boolean", "datetime", "binary", "string", "double")
)


class Array:
    """A list whose items have one type."""

    word = "array"

    def __init__(self, items: Any) -> None:
        """`items` is their type."""
        self.items = items

    def __repr__(self) -> str:
        return "Array({!r})".format(self.items)


class Vector(Array):
    """Spark's, of doubles."""

    word = "sparkml_vector"

    def __init__(self) -> None:
        """It has no other type."""
        super().__init__(DOUBLE)

    def __repr__(self) -> str:
        return "SparkML vector"


class Map:
    """From texts to values of one type."""

    word = "map"

    def __init__(self, values: Any) -> None:
        """`values` is their type."""
        self.values = values

    def __repr__(self) -> str:
        return "Map(str -> {})".format(self.values)


class Property:
    """One of an object's."""

    def __init__(self, name: str, given: Any) -> None:
        """`given` is its JSON."""
        self.name = name
        self.type = parse_type(given)
        self.required = given.get("required", True) if isinstance(given, dict) else True

    def __repr__(self) -> str:
        return "{}: {!r} ({})".format(self.name, self.type, "required" if self.required else "optional")


class Object:
    """Properties of any types."""

    word = "object"

    def __init__(self, properties: dict[str, Any]) -> None:
        """`properties` are those of the JSON."""
        self.properties = {name: Property(name, properties[name]) for name in sorted(properties)}

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self.properties.values())) + "}"


class AnyType:
    """Whatever JSON has; nothing is checked."""

    word = "any"

    def __repr__(self) -> str:
        return "Any"


def parse_type(given: Any) -> Any:
    """A type as a signature's JSON has it. Raises ValueError for an unknown one."""
    word = given if isinstance(given, str) else given["type"]
    if word == "array":
        return Array(parse_type(given["items"]))
    if word == "map":
        return Map(parse_type(given["values"]))
    if word == "object":
        return Object(given["properties"])
    if word == "any":
        return AnyType()
    if word == "sparkml_vector":
        return Vector()
    if word not in SCALARS:
        raise ValueError("its signature has the unknown type {!r}".format(word))
    return SCALARS[word]


class Column:
    """A column of a table."""

    def __init__(self, given: dict[str, Any]) -> None:
        """`given` is its JSON."""
        self.name = given.get("name")
        self.type = parse_type(given)
        # Files of MLflow 2.7 and older may say `optional`; of a type that is no scalar, MLflow takes a
        # missing word for no.
        unsaid = not given.get("optional", False) if isinstance(self.type, Scalar) else None
        self.required = given.get("required", unsaid)

    def __repr__(self) -> str:
        told = "{!r} ({})".format(self.type, "required" if self.required else "optional")
        return told if self.name is None else "{!r}: {}".format(self.name, told)


class Tensor:
    """An array of NumPy."""

    required = True

    def __init__(self, given: dict[str, Any]) -> None:
        """`given` is its JSON."""
        self.name = given.get("name")
        self.type = np.dtype(given["tensor-spec"]["dtype"])
        self.shape = tuple(given["tensor-spec"]["shape"])

    def __repr__(self) -> str:
        told = "Tensor({!r}, {!r})".format(self.type.name, self.shape)
        return told if self.name is None else "{!r}: {}".format(self.name, told)


class Schema:
    """What a model takes: columns or tensors, all with names or all without."""

    def __init__(self, text: str) -> None:
        """`text` is JSON, as in the MLmodel file."""
        given = json.loads(text)
        self.is_tensors = given[0]["type"] == "tensor"
        self.inputs: list[Any] = [(Tensor if self.is_tensors else Column)(each) for each in given]
        self.has_names = self.inputs[0].name is not None
        self.names = [each.name or place for place, each in enumerate(self.inputs)]
        self.required = [name for name, each in zip(self.names, self.inputs) if each.required]
        self.by_name = {each.name: each for each in self.inputs} if self.has_names else {}
        # Texts, bytes and dates have several types in pandas: there is more to them than to compare one.
        is_plain = not self.is_tensors and len(self.by_name) == len(self.inputs)
        is_plain = is_plain and all(isinstance(each.type, Scalar) for each in self.inputs)
        types = [each.type.numpy for each in self.inputs] if is_plain else []
        self._plain = types if all(kind.kind in "bif" for kind in types) else []

    def __repr__(self) -> str:
        return repr(self.inputs)

    def fits(self, table: Any) -> bool:
        """Whether a table has just these columns, with numbers or flags of their types: nothing is left to do then."""
        return (
            bool(self._plain) and list(table.columns) == self.names and table.dtypes.tolist() == self._plain
        )

    def pandas_types(self) -> list[Any]:
        """Those of its columns. Raises MlflowException where one has none."""
        if self.is_tensors:
            raise MlflowException("TensorSpec only supports numpy types, use numpy_types() instead")
        if not all(isinstance(each.type, Scalar) for each in self.inputs):
            raise MlflowException("Failed to get pandas types as some of the inputs types are not DataType.")
        return [each.type.pandas for each in self.inputs]
