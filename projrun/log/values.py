"""Values as MLflow's REST API takes them."""

from __future__ import annotations

from .environment import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Json = dict[str, Any]


def number(key: str, value: Any) -> float | None:
    """A number of any library; None, with a warning, for what is none."""
    try:
        return float(value)
    except Exception:
        warn(f"metric {key!r}", f"{value!r:.60} is not a number: not logged")
        return None


def whole(what: str, value: Any) -> int:
    """A number of any library without its fraction; 0 for None, and, with a warning, for what is none."""
    try:
        return int(value or 0)
    except Exception:
        warn(what, f"{value!r:.60} is not a whole number: 0")
        return 0


def written(value: float) -> float | str:
    """JSON has no words for these; protobuf's has."""
    if value - value == 0:
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def pairs(values: Mapping[Any, object]) -> list[Json]:
    """Params or tags."""
    return [{"key": str(key), "value": str(value)} for key, value in values.items()]
