"""Arrays, against a signature with tensors."""

from __future__ import annotations

import sys

import numpy as np

from .errors import INVALID, MlflowException
from .types import Schema, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def is_table(data: Any) -> bool:
    """Whether it is a DataFrame; pandas is not imported for this."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def enforce_tensors(data: Any, schema: Schema) -> Any:
    """The arrays that the model gets. Raises MlflowException for those of another type or shape."""
    return _named(data, schema) if schema.has_names else _single(data, schema.inputs[0])


def _named(data: Any, schema: Schema) -> dict[str, Any]:
    if is_table(data):
        return {each.name: _of_column(each.name, data[each.name], each) for each in schema.inputs}
    if not isinstance(data, dict):
        raise MlflowException(
            "This model contains a tensor-based model signature with input names, which suggests a dictionary input "
            "mapping input name to tensor, or a pandas DataFrame input containing columns mapping input name to "
            "flattened list value from tensor, but an input of type {} was found.".format(type(data)),
            INVALID,
        )
    enforced = {}
    for each in schema.inputs:
        value = data[each.name]
        if not isinstance(value, np.ndarray):
            raise MlflowException(
                "This model contains a tensor-based model signature with input names, which suggests a dictionary "
                "input mapping input name to a numpy array, but a dict with value type {} was found.".format(
                    type(value)
                ),
                INVALID,
            )
        enforced[each.name] = _checked(value, each)
    return enforced


def _single(data: Any, spec: Tensor) -> Any:
    if isinstance(data, np.ndarray):
        return _checked(data, spec)
    if not is_table(data):
        raise MlflowException(
            "This model contains a tensor-based model signature with no input names, which suggests a numpy array "
            "input or a pandas dataframe input with proper column values, but an input of type {} was found.".format(
                type(data)
            ),
            INVALID,
        )
    count = len(data.columns)
    if data.empty:
        raise MlflowException("Input DataFrame is empty.")
    if count == 1:
        return _of_column(None, data[data.columns[0]], spec)
    if spec.shape != (-1, count):
        raise MlflowException(
            "This model contains a model signature with an unnamed input. Since the input data is a pandas DataFrame "
            "containing multiple columns, the input shape must be of the structure (-1, number_of_dataframe_columns). "
            "Instead, the input DataFrame passed had {} columns and an input shape of {} with all values within the "
            "DataFrame of scalar type. Please adjust the passed in DataFrame to match the expected structure".format(
                count, spec.shape
            ),
            INVALID,
        )
    return _checked(data.to_numpy(), spec)


def _checked(values: Any, spec: Tensor) -> Any:
    wanted, found, kind = spec.shape, values.shape, values.dtype
    if wanted == (-1,) and spec.type == np.dtype("O"):
        return values
    if len(found) == 1 and kind == np.dtype("O") and -1 in wanted[1:]:
        return values  # of arrays that differ in length
    if len(wanted) != len(found) or any(w not in (-1, f) for w, f in zip(wanted, found)):
        raise MlflowException("Shape of input {} does not match expected shape {}.".format(found, wanted))
    # The length of texts and bytes does not matter.
    if {"U": np.dtype("str"), "S": np.dtype("bytes")}.get(kind.char, kind) != spec.type:
        raise MlflowException("dtype of input {} does not match expected dtype {}".format(kind, spec.type))
    return values


def _of_column(name: Any, values: Any, spec: Tensor) -> Any:
    """The array that the cells of a column are."""
    if spec.shape[0] != -1 or -1 in spec.shape[1:]:
        raise MlflowException(
            "For pandas dataframe input, the first dimension of shape must be a variable dimension and other "
            "dimensions must be fixed, but in model signature the shape of {} is {}.".format(
                "input " + name if name else "the unnamed input", spec.shape
            )
        )
    first = values[0]
    if np.isscalar(first):
        return _of_scalars(name, values, spec)
    if isinstance(first, list) and np.isscalar(first[0]):
        return _stacked(
            name,
            values,
            spec,
            "list elements are of uniform length and that the data can be coerced to the tensor type '{}'".format(
                spec.type
            ),
        )
    if isinstance(first, np.ndarray):
        return _stacked(
            name,
            values,
            spec,
            "numpy array elements are of uniform length and can be reshaped to above expected shape.",
        )
    raise MlflowException(
        "Because the model signature requires tensor spec input, the input pandas dataframe values should be either "
        "scalar value, python list containing scalar values or numpy array containing scalar values, other types are "
        "not supported.",
        INVALID,
    )


def _of_scalars(name: Any, values: Any, spec: Tensor) -> Any:
    if spec.shape not in ((-1,), (-1, 1)):
        raise MlflowException(
            "The input pandas dataframe column '{}' contains scalar values, which requires the shape to be (-1,) or "
            "(-1, 1), but got tensor spec shape of {}.".format(name, spec.shape),
            INVALID,
        )
    return _checked(np.array(values, dtype=spec.type).reshape(spec.shape), spec)


def _stacked(name: Any, values: Any, spec: Tensor, ensure: str) -> Any:
    try:
        stacked = np.vstack(values.tolist()).reshape(spec.shape)
        if isinstance(values[0], list):
            stacked = stacked.astype(spec.type)
    except ValueError:
        stacked = ()
    if len(stacked) != len(values):
        raise MlflowException(
            "The value in the Input DataFrame column '{}' could not be converted to the expected shape of: '{}'. "
            "Ensure that each of the input {}".format(name, spec.shape, ensure),
            INVALID,
        )
    return stacked
