"""The data of a request, against the signature."""

from __future__ import annotations

import logging
import os

import numpy as np

from .errors import INVALID, SCHEMA, MlflowException
from .tensors import enforce_tensors, is_table
from .types import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_log = logging.getLogger("projrun.scoring")


def _hides_details() -> bool:
    return os.environ.get("MLFLOW_DISABLE_SCHEMA_DETAILS", "").lower() in ("true", "1")


def enforce(data: Any, schema: Schema) -> Any:
    """The data as the model gets it. Raises MlflowException for what does not fit."""
    try:
        return _enforced(data, schema)
    except Exception as error:
        message = "Failed to enforce schema of data '{}' with schema '{}'. Error: {}".format(
            data, schema, error
        )
        if _hides_details():
            message = "Failed to enforce model input schema. Please check your input data."
        raise MlflowException(message, INVALID, SCHEMA) from error


def _enforced(data: Any, schema: Schema) -> Any:
    if not schema.is_tensors:
        from .columns import enforce_columns, to_table

        data = to_table(data, schema)
    if schema.has_names:
        if len(schema.required) == 1 and isinstance(data, np.ndarray):
            data = {schema.required[0]: data}
        _check_names(data, schema)
    elif not schema.is_tensors and len(data.columns) < len(schema.inputs):
        raise MlflowException(
            "Model inference is missing inputs. The model signature declares {} inputs  but the provided value only "
            "has {} inputs. Note: the inputs were not named in the signature so we can only verify their count.".format(
                len(schema.inputs), len(data.columns)
            )
        )
    return enforce_tensors(data, schema) if schema.is_tensors else enforce_columns(data, schema)


def _check_names(data: Any, schema: Schema) -> None:
    found = list(data.columns) if is_table(data) else list(data) if isinstance(data, dict) else []
    missing = [name for name in schema.required if name not in found]
    extra = [name for name in set(found) if name not in schema.by_name]
    if not missing:
        if extra:
            _log.warning("The model's signature has no inputs %s: they are ignored.", extra)
        return
    message = "Model is missing inputs {}.".format(missing)
    more = " Note that there were extra inputs: {}.".format(extra)
    if _hides_details():
        message = "Input schema validation failed. Mismatched or missing input(s)."
        more = " Note that there were extra inputs provided."
    raise MlflowException(message + more if extra else message)
