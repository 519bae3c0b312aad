"""Environment variables that hold numbers and booleans, as MLflow reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from projrun.errors import RequestError


def number(environ: Mapping[str, str], variable: str, default: int) -> int:
    """A variable that holds a whole number; RequestError for anything else."""
    text = environ.get(variable)
    if not text:
        return default
    if text.isascii() and text.isdigit():
        return int(text)
    raise RequestError(f"{variable} is {text!r}, not a whole number")


def enabled(environ: Mapping[str, str], variable: str, *, default: bool = False) -> bool:
    """A variable that is `true`, `1`, `false` or `0`, as MLflow reads it; RequestError for anything else."""
    text = environ.get(variable, "").lower()
    if text not in ("", "true", "1", "false", "0"):
        raise RequestError(f"{variable} is {text!r}, not true, false, 1 or 0")
    return text in ("true", "1") if text else default


def decimal(environ: Mapping[str, str], variable: str, default: float) -> float:
    """A variable that holds a number of zero or more; RequestError for anything else."""
    text = environ.get(variable)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and value >= 0:
        return value
    raise RequestError(f"{variable} is {text!r}, not a number that is zero or more")
