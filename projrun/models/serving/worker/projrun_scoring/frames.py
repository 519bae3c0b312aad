"""`dataframe_split` and `dataframe_records`: tables in JSON."""

from __future__ import annotations

import base64

import numpy as np

from .errors import MlflowInvalidInputException
from .nested import enforce_array, enforce_map, enforce_object
from .types import BINARY, DATETIME, AnyType, Array, Map, Object, Scalar, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def to_frame(given: Any, orient: str, schema: Schema | None) -> Any:
    """The DataFrame, with types as the schema has them. Raises MlflowException."""
    frame = _records(given) if orient == "records" else _split(given)
    return frame if schema is None or schema.fits(frame) else _cast(frame, schema)


def _records(given: Any) -> Any:
    import pandas as pd

    if not isinstance(given, list):
        found = "dictionary" if isinstance(given, dict) else "type {}".format(type(given))
        raise MlflowInvalidInputException(
            "Dataframe records format must be a list of records. Got {}.".format(found)
        )
    try:
        return pd.DataFrame(data=given)
    except Exception as error:
        raise _no_frame("records", error) from None


def _split(given: Any) -> Any:
    import pandas as pd

    if not isinstance(given, dict):
        found = "list" if isinstance(given, list) else "type {}".format(type(given))
        raise MlflowInvalidInputException(
            "Dataframe split format must be a dictionary. Got {}.".format(found)
        )
    keys = set(given)
    if "data" not in keys or keys - {"columns", "data", "index"}:
        raise MlflowInvalidInputException(
            "Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. "
            "Got {}.'".format(keys)
        )
    try:
        return pd.DataFrame(index=given.get("index"), columns=given.get("columns"), data=given["data"])
    except Exception as error:
        raise _no_frame("split", error) from None


def _no_frame(orient: str, error: Exception) -> MlflowInvalidInputException:
    return MlflowInvalidInputException(
        "Provided dataframe_{0} field is not a valid dataframe representation in '{0}' format. Error: '{1}'".format(
            orient, error
        )
    )


def _cast(frame: Any, schema: Schema) -> Any:
    found = set(frame.columns)
    if schema.has_names:
        wanted = list(schema.by_name.items())
    elif schema.is_tensors:
        wanted = [(name, schema.inputs[0]) for name in found]
    else:
        wanted = list(zip(frame.columns, schema.inputs))
    required = set(schema.required)
    for name, spec in wanted:
        if name not in found:
            continue
        try:
            cast = _column(frame[name], spec, schema.is_tensors, name in required)
            if cast is not None:
                frame[name] = cast
        except Exception as error:
            kind = spec.type.pandas if isinstance(spec.type, Scalar) else spec.type
            raise MlflowInvalidInputException(
                "Data is not compatible with model signature. Failed to convert column {} to type '{}'. "
                "Error: '{!r}'".format(name, kind, error)
            ) from None
    return frame


def _column(values: Any, spec: Any, is_tensor: bool, required: bool) -> Any:
    """A column with its type; None where it stays as it is."""
    kind = spec.type
    if kind is BINARY:
        return values.map(lambda cell: base64.decodebytes(bytes(cell, "utf8")))
    if is_tensor and kind == np.dtype(bytes):
        return values.map(lambda cell: bytes(cell, "utf8"))
    if is_tensor and isinstance(values.iloc[0], list):
        return None  # a later step makes one array of the lists
    if isinstance(kind, Array):
        return values.map(lambda cell: enforce_array(cell, kind, required))
    if isinstance(kind, Object):
        return values.map(lambda cell: enforce_object(cell, kind, required))
    if isinstance(kind, Map):
        return values.map(lambda cell: enforce_map(cell, kind, required))
    if isinstance(kind, AnyType):
        return None
    if kind is DATETIME:
        return _dates(values)
    return _as_type(values, kind.pandas if isinstance(kind, Scalar) else kind)


def _dates(values: Any) -> Any:
    import pandas as pd

    dates = pd.to_datetime(values)
    # pandas 3 parses to microseconds; before 2 there was no other unit.
    if pd.api.types.is_datetime64_any_dtype(dates) and getattr(dates.dt, "unit", "ns") != "ns":
        dates = dates.dt.as_unit("ns")
    return dates


def _as_type(values: Any, kind: Any) -> Any:
    import pandas as pd

    is_text = kind is object or (isinstance(kind, np.dtype) and kind.kind in "OU")
    if is_text and isinstance(values.dtype, pd.StringDtype):
        return None  # pandas 3 has a type of its own for texts
    return values.astype(kind)
