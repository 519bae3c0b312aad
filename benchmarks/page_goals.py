"""What the page has to reach, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.goals import OURS, Goal

Figures = Mapping[str, float]

_AT_MOST = {
    "first rows, ms": 1000.0,
    "curves drawn, ms": 500.0,
    "zoom, ms": 100.0,
    "scroll, p95 of frames, ms": 17.5,
    "memory of the page, MB": 300.0,
}
"""In every part in which it was measured. A frame of 60 a second is 16.7 ms, which clocks round."""
_TIMES = 5.0
"""How many times ours the other page is to take at least, in each row of milliseconds."""


def goals(table: Mapping[str, Mapping[str, Figures]]) -> Iterator[Goal]:
    """Those of each part; beside another page, the row in which it comes nearest to ours."""
    for part, pages in table.items():
        mine = pages[OURS]
        for row, most in _AT_MOST.items():
            if row in mine:
                yield Goal(f"{part}: {row}", mine[row], most)
        for name, other in pages.items():
            if name != OURS and (times := list(_times(mine, other))):
                least, row = min(times)
                yield Goal(f"{part}: times ours, {name}, {row}", least, _TIMES, at_least=True)


def _times(mine: Figures, other: Figures) -> Iterator[tuple[float, str]]:
    for row, took in mine.items():
        if row.endswith(", ms") and not row.startswith("scroll") and took and row in other:
            yield other[row] / took, row
