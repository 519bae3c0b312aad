"""What a model gives, in JSON."""

from __future__ import annotations

import base64
import datetime
import json
import sys

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def encode(predictions: Any, *, is_bare: bool) -> bytes:
    """The body of an answer. Raises TypeError for values that JSON does not have."""
    pandas = sys.modules.get("pandas")
    if isinstance(predictions, np.ndarray):
        predictions = predictions.tolist()
    elif pandas is not None:
        if isinstance(predictions, pandas.Series):
            predictions = pandas.DataFrame(predictions)
        if isinstance(predictions, pandas.DataFrame):
            predictions = predictions.to_dict(orient="records")
    told = predictions if is_bare else {"predictions": predictions}
    return json.dumps(told, default=plain).encode()


def plain(value: Any) -> Any:
    """What JSON has for a value."""
    plain = _converted(value)
    if plain is value:
        raise TypeError("Object of type {} is not JSON serializable".format(type(value).__name__))
    return plain


def _converted(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_converted(each) for each in value.tolist()] if value.dtype == object else value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (bytes, bytearray)):
        return base64.encodebytes(value).decode("ascii")
    if isinstance(value, (datetime.date, datetime.time)):  # pandas' Timestamp is a date, too
        return value.isoformat()
    pydantic: Any = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return value.model_dump()
    return value
