"""What a model gives, as tensors of the Open Inference Protocol."""

from __future__ import annotations

import base64
import datetime
import json
import sys
from math import isfinite

import numpy as np

from .predictions import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Data = tuple[str, list[Any], str]

PLACED = "output-{}"
"""The names of outputs that have none, from 1 on, as MLServer has them."""
LETTERS = {"b": "BOOL", "i": "INT", "u": "UINT", "f": "FP"}


def outputs_of(predictions: Any, names: list[Any]) -> list[dict[str, Any]]:
    """One tensor for each column or named array, or one for all; `names` are those of the signature's outputs."""
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        if isinstance(predictions, pandas.DataFrame):
            return [_output(str(name), column.to_numpy()) for name, column in predictions.items()]
        if isinstance(predictions, pandas.Series):
            predictions = predictions.to_numpy()
    if isinstance(predictions, dict):
        return [_output(str(name), _array(value)) for name, value in predictions.items()]
    array = _array(predictions)
    if len(names) > 1 and array.ndim == 2 and array.shape[1] == len(names):
        return [_output(name or PLACED.format(at + 1), array[:, at]) for at, name in enumerate(names)]
    return [_output(names[0] if len(names) == 1 and names[0] else PLACED.format(1), array)]


def _array(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value
    try:
        array = np.array(value)
        # NumPy's own texts end before their last NUL.
        return np.array(value, dtype=object) if array.dtype.kind in "SU" else array
    except ValueError:  # lists of different lengths
        array = np.empty(len(value), dtype=object)
        array[:] = value
        return array


def _output(name: str, array: Any) -> dict[str, Any]:
    shape = list(array.shape)
    datatype, data, content_type = _objects(array) if array.dtype.kind not in LETTERS else _numbers(array)
    output: dict[str, Any] = {
        "name": name,
        "datatype": datatype,
        "shape": shape if len(shape) > 1 else [*shape, 1],
        "data": data,
    }
    if content_type:
        output["parameters"] = {"content_type": content_type}
    return output


def _numbers(array: Any) -> Data:
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize > 8:
        array = array.astype("float64")
    data = array.ravel().tolist()
    if kind == "f" and not np.isfinite(array).all():
        data = [each if isfinite(each) else None for each in data]  # JSON has no other word for them
    bits = "" if kind == "b" else str(8 * array.dtype.itemsize)
    return LETTERS[kind] + bits, data, ""


def _objects(array: Any) -> Data:
    """Texts as they are; bytes, times and all else as texts of what MLServer calls their content type."""
    if array.dtype.kind == "M":
        array = array.astype("datetime64[us]")
    values = [None if _is_missing(each) else each for each in array.ravel().tolist()]
    kinds = {type(each) for each in values if each is not None}
    if kinds and all(issubclass(each, (bool, np.bool_, int, float, np.number)) for each in kinds):
        numbers = np.array([float("nan") if each is None else each for each in values])
        if numbers.dtype.kind in LETTERS:
            return _numbers(numbers)
    if kinds <= {str}:
        return "BYTES", values, ""
    encode, content_type = _plain_json, "pd_json"
    if all(issubclass(each, (bytes, bytearray)) for each in kinds):
        encode, content_type = _base64, "base64"
    elif all(issubclass(each, datetime.date) for each in kinds):
        encode, content_type = _isoformat, "datetime"
    return "BYTES", [None if each is None else encode(each) for each in values], content_type


def _is_missing(value: Any) -> bool:
    """None, pandas' NA, and what is not itself: NaN, NaT."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, (float, datetime.date)) and value != value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _isoformat(value: datetime.date) -> str:
    return value.isoformat()


def _plain_json(value: Any) -> str:
    return json.dumps(value, default=plain)
