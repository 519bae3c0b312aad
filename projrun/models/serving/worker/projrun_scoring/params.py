"""The params of a request, against those of the signature."""

from __future__ import annotations

import json
import logging
from copy import deepcopy

import numpy as np

from .errors import INVALID, MlflowException
from .nested import enforce_object
from .types import DATETIME, SCALARS, Object, parse_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_log = logging.getLogger("projrun.scoring")
_WIDER = {"long": ("integer",), "float": ("integer", "long"), "double": ("integer", "long", "float")}
"""From which other types a value is taken."""


class Param:
    """One that the model knows."""

    def __init__(self, given: dict[str, Any]) -> None:
        """`given` is its JSON."""
        self.name = str(given["name"])
        self.type = parse_type({**given, "type": given.get("type") or given.get("dtype")})
        shape = given.get("shape")
        self.shape = None if shape is None else tuple(shape)
        self.default = given["default"]
        self.default = self.checked(self.default)

    def __repr__(self) -> str:
        shape = "" if self.shape is None else " (shape: {})".format(self.shape)
        return "{!r}: {!r} (default: {}){}".format(self.name, self.type, self.default, shape)

    def checked(self, value: Any) -> Any:
        """A value as the model gets it. Raises MlflowException."""
        if self.shape == (-1,) and not (isinstance(value, (list, np.ndarray)) and np.array(value).ndim == 1):
            raise MlflowException(
                "Value must be a 1D array with shape (-1,) for param {!r}, received {} with ndim {}".format(
                    self, type(value).__name__, np.array(value).ndim
                ),
                INVALID,
            )
        try:
            if self.shape is not None:
                return [_scalar(each, self.type) for each in value]
            if isinstance(self.type, Object):
                enforce_object(deepcopy(value), self.type)
                return value
            return _scalar(value, self.type)
        except Exception as error:
            raise MlflowException(
                "Failed to validate type and shape for {!r}, error: {}".format(self, error), INVALID
            ) from None


def parse_params(text: str) -> list[Param]:
    """From the JSON in the MLmodel file."""
    return [Param(each) for each in json.loads(text)]


def _scalar(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    if kind is DATETIME:
        return _date(value)
    if not np.isscalar(value):
        raise MlflowException("Value must be a scalar for type `{}`, got `{}`".format(kind, value), INVALID)
    if kind.holds(value) or any(SCALARS[name].holds(value) for name in _WIDER.get(kind.name, ())):
        return kind.python(value)
    raise MlflowException(
        "Can not safely convert `{}` to `{}` for value `{}`".format(type(value), kind, value), INVALID
    )


def _date(value: Any) -> Any:
    try:
        found = np.datetime64(value).item()
    except ValueError:
        raise MlflowException(
            "Failed to convert value `{}` from type `{}` to `{}`".format(value, type(value), DATETIME),
            INVALID,
        ) from None
    if isinstance(found, int):
        raise MlflowException(
            "Failed to convert value to `{}`. It must be convertible to datetime.date/datetime, got `{}`".format(
                DATETIME, value
            ),
            INVALID,
        )
    return found


def enforce_params(given: Any, known: list[Param] | None) -> Any:
    """The params that the model gets. Raises MlflowException for those of another type."""
    if known is None:
        if given in [None, {}]:
            return given
        _log.warning("The model's signature has no params: those of the request are ignored.")
        return {}
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise MlflowException(
            "Parameters must be a dictionary. Got type '{}'.".format(type(given).__name__), INVALID
        )
    names = {param.name for param in known}
    unknown = sorted(set(given) - names)
    if unknown:
        _log.warning("The model's signature has no params %s: they are ignored.", unknown)
    taken = {name: value for name, value in given.items() if name in names}
    wrong = set()
    for param in known:
        if param.name not in taken:
            taken[param.name] = param.default
            continue
        try:
            taken[param.name] = param.checked(taken[param.name])
        except MlflowException as error:
            wrong.add((param.name, error.message))
    if wrong:
        raise MlflowException("Invalid parameters found: {!r}".format(wrong), INVALID)
    return taken
