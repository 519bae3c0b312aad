"""Fewer points of a curve: the least and the greatest of equal parts, a NaN of each, and the first and the last."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter

from projrun.tracking.sql.samples.summaries import Point


def thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    """About `most` of the points, in their order; all of them where there are not more."""
    if len(points) <= most:
        return points
    parts = max((most - 2) // 2, 1)
    values = [*map(itemgetter(2), points)]
    has_nan = any(map(itemgetter(3), points))
    kept = {0, len(points) - 1}
    edges = [part * len(points) // parts for part in range(parts + 1)]
    for start, end in pairwise(edges):
        if has_nan:
            kept.update(_with_nan(points, start, end))
        else:
            part = values[start:end]
            kept.add(start + part.index(min(part)))
            kept.add(start + part.index(max(part)))
    return [points[place] for place in sorted(kept)]


def _with_nan(points: Sequence[Point], start: int, end: int) -> list[int]:
    numbers = [place for place in range(start, end) if not points[place][3]]
    nans = [place for place in range(start, end) if points[place][3]][:1]
    if not numbers:
        return nans
    by_value = lambda place: points[place][2]  # noqa: E731
    return [min(numbers, key=by_value), max(numbers, key=by_value), *nans]
