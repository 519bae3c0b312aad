"""A curve on a terminal, in Braille dots or in ASCII."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a Braille character: four rows of two dots."""
_BLANK = 0x2800

Point = tuple[float, float]
Dot = tuple[int, int]


def plot_lines(points: Sequence[Point], width: int, height: int, *, ascii_only: bool) -> list[str]:
    """The curve through the points with its axes, in so many columns and lines; nothing where all are NaN."""
    finite = [point for point in points if all(map(math.isfinite, point))]
    if not finite:
        return []
    high, low = (f"{choice(y for _, y in finite):g}" for choice in (max, min))
    margin = max(len(high), len(low))
    columns = max(width - margin - 2, 4)
    across, down = (1, 1) if ascii_only else (2, 4)
    dots = _dots(finite, columns * across, height * down)
    rows = _ascii(dots, columns, height) if ascii_only else _braille(dots, columns, height)
    labels = [high, *[""] * (height - 2), low] if height > 1 else [high]
    bar = "|" if ascii_only else "│"
    left, right = (f"{choice(x for x, _ in finite):g}" for choice in (min, max))
    steps = f"{left}{right:>{max(columns - len(left), len(right) + 1)}}" if left != right else left
    lines = [f"{label:>{margin}} {bar}{row}".rstrip() for label, row in zip(labels, rows, strict=True)]
    return [*lines, f"{'':{margin + 2}}{steps}"]


def _dots(points: Sequence[Point], columns: int, rows: int) -> set[Dot]:
    (left, right), (low, high) = ((min(values), max(values)) for values in zip(*points, strict=True))

    def place(point: Point) -> Dot:
        return _scaled(point[0], left, right, columns), rows - 1 - _scaled(point[1], low, high, rows)

    places = list(dict.fromkeys(map(place, points)))
    return {*places, *(dot for before, after in pairwise(places) for dot in _line(before, after))}


def _scaled(value: float, low: float, high: float, count: int) -> int:
    share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5  # halves: no overflow
    return round(share * (count - 1))


def _line(before: Dot, after: Dot) -> Iterable[Dot]:
    across, down = after[0] - before[0], after[1] - before[1]
    steps = max(abs(across), abs(down), 1)
    return ((before[0] + across * step // steps, before[1] + down * step // steps) for step in range(steps))


def _braille(dots: set[Dot], columns: int, height: int) -> list[str]:
    cells = [[_BLANK] * columns for _ in range(height)]
    for across, down in dots:
        cells[down // 4][across // 2] |= _DOTS[down % 4][across % 2]
    return ["".join(map(chr, row)).rstrip(chr(_BLANK)) for row in cells]


def _ascii(dots: set[Dot], columns: int, height: int) -> list[str]:
    return [
        "".join("*" if (across, down) in dots else " " for across in range(columns)) for down in range(height)
    ]
