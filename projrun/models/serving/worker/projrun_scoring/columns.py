"""Tables, against a signature with columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .errors import MlflowException
from .nested import enforce_type
from .types import BINARY, BOOLEAN, DATETIME, DOUBLE, STRING, Array, Object, Scalar, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MISSING_VALUES = (
    " Hint: the type mismatch is likely caused by missing values. Integer columns in python can not represent missing "
    "values and are therefore encoded as floats. The best way to avoid this problem is to infer the model schema based "
    "on a realistic data sample (training dataset) that includes missing values. Alternatively, you can declare "
    "integer columns as doubles (float64) whenever these columns may have missing values. See `Handling Integers With "
    "Missing Values <https://www.mlflow.org/docs/latest/models.html#handling-integers-with-missing-values>`_ for more "
    "details."
)


def to_table(data: Any, schema: Schema) -> Any:
    """The DataFrame that data of another form is. Raises MlflowException where it is none."""
    if isinstance(data, pd.Series):
        data = pd.DataFrame(data)
    if np.isscalar(data):
        data = pd.DataFrame([data])
    elif isinstance(data, dict):
        data = _of_mapping(data, schema)
    elif isinstance(data, (list, np.ndarray)):
        data = pd.DataFrame(data)
    if not isinstance(data, pd.DataFrame):
        raise MlflowException("Expected input to be DataFrame. Found: {}".format(type(data).__name__))
    return data


def _of_mapping(data: dict[str, Any], schema: Schema) -> Any:
    cells = data.values()
    if any(isinstance(each.type, (Array, Object)) for each in schema.inputs) or all(map(_is_cell, cells)):
        return pd.DataFrame([data])
    try:
        if all(_is_text(each) for each in cells):
            return pd.DataFrame([data])
        if any(isinstance(each, np.ndarray) and each.ndim > 1 for each in cells):
            # pandas makes no column of such an array; of lists it does, and what is wrong is said of the column.
            data = {
                name: each.tolist() if isinstance(each, np.ndarray) and each.ndim > 1 else each
                for name, each in data.items()
            }
        return pd.DataFrame(data)
    except Exception as error:
        raise MlflowException(
            "This model contains a column-based signature, which suggests a DataFrame input. There was an error "
            "casting the input data to a DataFrame: {}".format(error)
        ) from None


def _is_cell(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return bool(np.isscalar(value)) or value is None


def _is_text(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.type == np.str_ and value.shape == ()


def enforce_columns(table: Any, schema: Schema) -> Any:
    """A table with the columns of the signature, in their order and types. Raises MlflowException."""
    if schema.fits(table):
        return table
    if schema.has_names:
        specs = [(name, schema.by_name[name]) for name in schema.names if name in table]
        missing = [name for name in schema.required if name not in table]
        if missing:
            raise MlflowException(
                "The input column '{}' is required by the model signature but missing from the input data.".format(
                    missing[0]
                )
            )
    else:
        specs = list(zip(table.columns, schema.inputs))  # which are all required
    enforced = {}
    for name, spec in specs:
        if isinstance(spec.type, Scalar):
            enforced[name] = enforce_column(name, table[name], spec.type)
        else:
            cells = [enforce_type(each, spec.type, spec.required) for each in table[name]]
            enforced[name] = pd.Series(cells, index=table.index, name=name)
    return pd.DataFrame(enforced)


def enforce_column(name: Any, values: Any, kind: Scalar) -> Any:
    """A column as its type has it, where no value changes by that. Raises MlflowException."""
    if values.dtype == object and kind not in (BINARY, STRING):
        values = values.infer_objects()
    found = values.dtype
    if isinstance(found, pd.StringDtype) and kind in (STRING, BINARY):
        return values
    # pandas compares its types with those of NumPy, not the other way round.
    if found == kind.numpy or kind.pandas == found:
        return values
    if kind is BINARY and found.kind == kind.numpy.kind:  # the length does not matter
        return values
    is_object = values.dtype == object
    if kind is DATETIME and (found.kind == kind.numpy.kind or is_object):
        return _dates(name, values)
    if kind is BOOLEAN and is_object:
        return values  # a conversion makes None to False
    if kind is DOUBLE and is_object:
        return _numbers(name, values)
    if _is_wider(kind.numpy, found) or _are_flags(values, kind.numpy):
        return values.astype(kind.numpy, errors="raise")
    raise MlflowException(
        "Incompatible input types for column {}. Can not safely convert {} to {}.{}".format(
            name, found, kind.numpy, _MISSING_VALUES if _has_missing_integers(values, kind.numpy) else ""
        )
    )


def _dates(name: Any, values: Any) -> Any:
    if values.dtype.kind == DATETIME.numpy.kind:
        try:
            return values.astype(DATETIME.numpy)
        except TypeError as error:
            raise MlflowException(
                "Please ensure that the input data of datetime column only contains timezone-naive datetime objects. "
                "Error: {}".format(error)
            ) from None
    try:
        return values.astype(DATETIME.numpy, errors="raise")
    except ValueError:
        raise _unconverted(name, values, DATETIME) from None


def _numbers(name: Any, values: Any) -> Any:
    try:
        return pd.to_numeric(values, errors="raise")
    except ValueError:
        raise _unconverted(name, values, DOUBLE) from None


def _unconverted(name: Any, values: Any, kind: Scalar) -> MlflowException:
    return MlflowException("Failed to convert column {} from type {} to {}.".format(name, values.dtype, kind))


def _is_wider(wanted: Any, found: Any) -> bool:
    """Whether each value of one type of NumPy has its place in another, as MLflow sees it."""
    if found.kind == wanted.kind:
        return bool(found.itemsize <= wanted.itemsize)
    if found.kind == "u" and wanted.kind == "i":
        return bool(found.itemsize < wanted.itemsize)
    return found.kind in ("i", "u") and wanted == np.float64 and found.itemsize <= 6


def _are_flags(values: Any, wanted: Any) -> bool:
    """Whether these are integers of 0 and 1 alone, which any float holds."""
    if values.dtype != np.int64 or wanted not in (np.float32, np.float64):
        return False
    return all(pd.isnull(each) or each in [0, 1] for each in values)


def _has_missing_integers(values: Any, wanted: Any) -> bool:
    if values.dtype != np.float64 or wanted.kind not in ("i", "u") or not values.hasnans:
        return False
    return all(pd.isnull(each) or int(each) == each for each in values)
