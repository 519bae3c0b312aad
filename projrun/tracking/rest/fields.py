"""Fields of MLflow's JSON, read with their types. Numbers may come as text (proto3's JSON mapping writes int64 so)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

Json = Mapping[str, object]
_ITEM = TypeVar("_ITEM")
_INFINITIES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class MalformedError(Exception):
    """An answer that is JSON and not MLflow's; the text says which field."""


def text(value: Json, key: str, default: str | None = None) -> str:
    """Text, or the default where it is missing."""
    found = value.get(key)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise MalformedError(f"{key!r} is {kind(found)}, not text")
    return found


def name(value: Json, key: str) -> str:
    """An identifier: text that is not empty; a number is taken as its text (older servers' versions)."""
    found = value.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found:
        raise MalformedError(f"{key!r} is {kind(found)}, not an identifier")
    return found


def optional_text(value: Json, key: str) -> str | None:
    """Text, or None."""
    return text(value, key) if value.get(key) is not None else None


def integer(value: Json, key: str, default: int = 0) -> int:
    """A whole number."""
    found = value.get(key)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        raise MalformedError(f"{key!r} is {kind(found)}, not a number")
    try:
        return int(found)
    except (ValueError, OverflowError):
        raise MalformedError(f"{key!r} is {kind(found)}, not a whole number") from None


def optional_integer(value: Json, key: str) -> int | None:
    """A whole number, or None."""
    return integer(value, key) if value.get(key) is not None else None


def decimal(value: Json, key: str) -> float:
    """A number, or the name of one that JSON does not have."""
    found = value.get(key, 0.0)
    if isinstance(found, str) and found in _INFINITIES:
        return _INFINITIES[found]
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        raise MalformedError(f"{key!r} is {kind(found)}, not a number")
    try:
        return float(found)
    except (ValueError, OverflowError):
        raise MalformedError(f"{key!r} is {kind(found)}, not a number") from None


def flag(value: Json, key: str) -> bool:
    """True or false."""
    found = value.get(key, False)
    if not isinstance(found, bool):
        raise MalformedError(f"{key!r} is {kind(found)}, not true or false")
    return found


def nested(value: Json, key: str, *, required: bool = True) -> Json:
    """An object; an empty one where it may be missing and is."""
    found = value.get(key)
    if found is None and not required:
        return {}
    if not isinstance(found, dict):
        raise MalformedError(f"{key!r} is {kind(found)}, not an object")
    return found


def items(value: Json, key: str, parse: Callable[[Json], _ITEM]) -> tuple[_ITEM, ...]:
    """A list of objects, each parsed."""
    found = value.get(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise MalformedError(f"{key!r} is not a list of objects")
    return tuple(parse(item) for item in found)


def texts(value: Json, key: str) -> tuple[str, ...]:
    """A list of texts."""
    found = value.get(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise MalformedError(f"{key!r} is {kind(found)}, not a list of texts")
    return tuple(found)


def kind(value: object) -> str:
    """What a value is, for an error."""
    return "missing" if value is None else f"a {type(value).__name__}"
