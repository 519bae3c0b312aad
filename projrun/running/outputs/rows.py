"""Metrics as files and patterns say them, and as points of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from projrun.errors import InvalidValueError
from projrun.running.record.recorder import now
from projrun.tracking.entities import Metric
from projrun.tracking.limits import KEY, check_key
from projrun.tuples import NamedTuple

_STEPS = ("step", "epoch")
"""What files call the step; the first that is there counts."""
_INT64 = range(-(2**63), 2**63)
_SECONDS = 100_000_000_000
"""A smaller time is in seconds, as Python's `time.time()`: in milliseconds it would be in 1973."""
_MOST_REMEMBERED = 100_000
_DEEPEST = 64


class Row(NamedTuple):
    """Values that belong together."""

    values: tuple[tuple[str, float], ...]
    step: int | None = None
    timestamp: int | None = None


class Points:
    """Makes points of the rows of one source; a row without a step is the next one of each of its metrics."""

    def __init__(self, *, again: bool = False) -> None:
        """`again`: whether a row may come again, in a file that was written again: it is no other point."""
        self._again = again
        self._next: dict[str, int] = {}
        self._known: dict[tuple[str, int | None], float] = {}

    def restart(self) -> None:
        """The rows come from the beginning again."""
        self._next.clear()

    def of(self, row: Row, *, counted: bool = True) -> Iterator[Metric]:
        """The points of a row that are new. Not `counted`: the row replaces the one before it."""
        time = now() if row.timestamp is None else row.timestamp
        for key, value in row.values:
            step = row.step
            if step is None and counted:
                step = self._count(key)
            if self._again and not self._is_new((key, step), value):
                continue
            yield Metric(key, value, time, self._count(key) if step is None else step)

    def _count(self, key: str) -> int:
        step = self._next.get(key, 0)
        self._next[key] = step + 1
        return step

    def _is_new(self, place: tuple[str, int | None], value: float) -> bool:
        known = self._known.get(place)
        if known == value or (known is not None and known != known and value != value):
            return False
        if place in self._known or len(self._known) < _MOST_REMEMBERED:
            self._known[place] = value
        return True


def row_of(values: Iterable[tuple[str, object]], steps: Iterable[str] = _STEPS) -> Row:
    """The numbers among named values; `step` and `timestamp` are no metrics."""
    found = {name: value for name, value in values if isinstance(name, str)}
    time = _milliseconds(found.pop("timestamp", None))
    name = next((one for one in steps if _whole(found.get(one)) is not None), None)
    step = None if name is None else _whole(found.pop(name))
    found.pop("step", None)
    numbers = ((key_of(key), number(value)) for key, value in found.items())
    return Row(tuple((key, value) for key, value in numbers if key and value is not None), step, time)


def rows_of(document: object) -> Iterator[Row]:
    """The rows of a JSON document: an object of numbers, a list of such objects, or an object of lists."""
    if isinstance(document, list):
        for one in document:
            if isinstance(one, dict):
                yield row_of(_flat(one))
    elif isinstance(document, dict):
        columns = {str(key): value for key, value in document.items() if _is_column(value)}
        yield row_of((key, value) for key, value in _flat(document) if key not in columns)
        steps = columns.pop("step", None) or columns.pop("epoch", None)
        for index in range(max(map(len, columns.values()), default=0)):
            step = _whole(steps[index]) if steps and index < len(steps) else None
            row = row_of((key, column[index]) for key, column in columns.items() if index < len(column))
            yield row._replace(step=index if step is None else step)


def line_row(value: object) -> Row:
    """The row of a JSON line: `{"key": …, "value": …}`, or an object of numbers."""
    if not isinstance(value, dict):
        return Row(())
    if isinstance(value.get("key"), str) and "value" in value:
        rest = [(name, value[name]) for name in ("step", "timestamp") if name in value]
        return row_of([(value["key"], value["value"]), *rest], ("step",))
    return row_of(_flat(value))


def number(value: object) -> float | None:
    """A number as it stands in a file or an output; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        if isinstance(value, str):
            value = value.strip().rstrip(",;:)]}%").removesuffix(".")
        return float(value)
    except (ValueError, OverflowError):
        return None


def key_of(name: str) -> str:
    """The name of a metric: what no store takes in one becomes `_`; empty for what cannot be one."""
    key = re.sub(r"[^/\w.\- :]", "_", name.strip())[:KEY]
    try:
        check_key(key, "metric")
    except InvalidValueError:
        return ""
    return key


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The values of an object and of those in it: `{"train": {"loss": 1}}` is `train/loss`."""
    waiting: list[tuple[Mapping[str, object], str, int]] = [(values, "", 0)]
    while waiting:
        found, prefix, depth = waiting.pop(0)
        for name, value in found.items():
            if isinstance(value, dict) and depth < _DEEPEST:
                waiting.append((value, f"{prefix}{name}/", depth + 1))
            elif not isinstance(value, (dict, str)):
                yield f"{prefix}{name}", value


def _is_column(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, (int, float)) for one in value)


def _whole(value: object) -> int | None:
    """An integer that the stores take; None for anything else."""
    found = number(value)
    if found is None or found != found or found in (float("inf"), float("-inf")):
        return None
    whole = value if isinstance(value, int) else int(found)
    return whole if whole in _INT64 else None


def _milliseconds(value: object) -> int | None:
    time = number(value)
    if time is None or not 0 <= time < _INT64.stop:
        return None
    return int(time * 1000 if time < _SECONDS else time)
