"""Values in the cells of a column: scalars, arrays, objects and maps, against the type of the signature."""

from __future__ import annotations

import numpy as np

from .errors import INVALID, SCHEMA, MlflowException
from .types import AnyType, Array, Map, Object, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def enforce_type(value: Any, kind: Any, required: bool = True) -> Any:
    """The value as a type has it. Raises MlflowException for one that does not fit."""
    if isinstance(kind, Scalar):
        return _scalar(value, kind, required)
    if isinstance(kind, Array):
        return enforce_array(value, kind, required)
    if isinstance(kind, Object):
        return enforce_object(value, kind, required)
    if isinstance(kind, Map):
        return enforce_map(value, kind, required)
    return value


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and bool(np.isnan(value)))


def _scalar(value: Any, kind: Scalar, required: bool) -> Any:
    import pandas as pd

    from .columns import enforce_column

    if not required and _is_missing(value):
        return None
    if not np.isscalar(value):
        raise MlflowException("Expected data to be scalar, got {}".format(type(value).__name__))
    try:
        return enforce_column("", pd.Series(value), kind)[0]
    except MlflowException:
        raise MlflowException(
            "Failed to enforce schema of data `{}` with dtype `{}`".format(value, kind.name), INVALID, SCHEMA
        ) from None


def enforce_array(value: Any, kind: Array, required: bool = True) -> Any:
    """The value as a list or an array of NumPy, whichever it was."""
    listed = isinstance(value, (list, np.ndarray))
    may_lack = not required or isinstance(kind.items, AnyType)
    if may_lack and (value is None or (listed and len(value) == 0)):
        return value
    if not listed:
        raise MlflowException("Expected data to be list or numpy array, got {}".format(type(value).__name__))
    if isinstance(kind.items, Scalar):
        enforced = _items(value, kind.items) if len(value) > 0 else value
    else:
        enforced = [enforce_type(each, kind.items, required) for each in value]
    if isinstance(value, list) and isinstance(enforced, np.ndarray):
        return enforced.tolist()
    if isinstance(value, np.ndarray) and isinstance(enforced, list):
        return np.array(enforced)
    return enforced


def _items(value: Any, kind: Scalar) -> Any:
    import pandas as pd

    from .columns import enforce_column

    return enforce_column("", pd.Series(value), kind).to_numpy(dtype=kind.numpy)


def enforce_object(value: Any, kind: Object, required: bool = True) -> Any:
    """The same dictionary, with its values as their types have them."""
    if not required and (value is None or value == {}):
        return value
    if not isinstance(value, dict):
        raise MlflowException(
            "Failed to enforce schema of '{}' with type '{}'. Expected data to be dictionary, got {}".format(
                value, kind, type(value).__name__
            )
        )
    missing = {name for name, each in kind.properties.items() if each.required} - set(value)
    if missing:
        raise MlflowException("Missing required properties: {}".format(missing))
    unknown = value.keys() - kind.properties.keys()
    if unknown:
        raise MlflowException("Invalid properties not defined in the schema found: {}".format(unknown))
    for name, each in value.items():
        known = kind.properties[name]
        try:
            value[name] = enforce_type(each, known.type, known.required)
        except MlflowException:
            raise MlflowException(
                "Failed to enforce schema for key `{}`. Expected type {}, received type {}".format(
                    name, known.type.word, type(each).__name__
                )
            ) from None
    return value


def enforce_map(value: Any, kind: Map, required: bool = True) -> Any:
    """A dictionary with its values as their type has them."""
    if (not required or isinstance(kind.values, AnyType)) and (value is None or value == {}):
        return value
    if not isinstance(value, dict):
        raise MlflowException("Expected data to be a dict, got {}".format(type(value).__name__))
    if not all(isinstance(name, str) for name in value):
        raise MlflowException("Expected all keys in the map type data are string type.")
    return {name: enforce_type(each, kind.values, required) for name, each in value.items()}
