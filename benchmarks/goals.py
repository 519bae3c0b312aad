"""What the server has to reach, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.calls import POINTS
from benchmarks.measuring import Measured
from benchmarks.targets import mark_of

Table = Mapping[str, Mapping[str, Measured | None]]

OURS = "projrun"
START = 0.3
"""Seconds to the first answer, of a store that is there."""
_AT_MOST = 30.0
"""Ms within which a long history is sampled."""
_TIMES = {"mlflow": 20.0, "fasttrackml": 1.0}
"""How many times our CPU the others are to take at least, in each row."""


class Goal(NamedTuple):
    """What was measured beside what it is to be."""

    name: str
    measured: float
    goal: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether it is on the right side."""
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal

    def line(self) -> str:
        """For people."""
        side = "at least" if self.at_least else "at most"
        return f"  {mark_of(self.reached)} {self.name}: {self.measured:,.2f}, goal {side} {self.goal:,g}"


def goals(table: Table, start: float) -> Iterator[Goal]:
    """Those of the rows that were measured; ratios of a row are one line for each other server: its worst row."""
    yield Goal("seconds to the first answer", start, START)
    for row, found in table.items():
        if ours := found.get(OURS):
            yield from _alone(row, ours)
    for name in next(iter(table.values()), ()):
        least = next((times for kind, times in _TIMES.items() if name.startswith(kind)), None)
        if least is not None and (worst := _worst(table, name)):
            yield Goal(f"times projrun's CPU, {name}, {worst[1]}", worst[0], least, at_least=True)


def _alone(row: str, ours: Measured) -> Iterator[Goal]:
    if row == "log-metric":
        yield Goal("log-metric, ms of CPU", ours.cpu, 0.7)
    elif row == f"log-batch {POINTS}":
        yield Goal("log-batch, µs of CPU a point", ours.cpu * 1000 / POINTS, 9)
    elif row.startswith("search"):
        yield Goal(f"{row}, p95 in ms", ours.p95, 20)
    elif "points to" in row:
        yield Goal(f"{row}, p95 in ms", ours.p95, _AT_MOST)
    elif row == f"log-batch {POINTS}, 8 clients":
        yield Goal("points a second, 8 clients", ours.rate * POINTS, 100_000, at_least=True)


def _worst(table: Table, name: str) -> tuple[float, str] | None:
    """The row in which a server comes nearest to ours, and how near."""
    ratios = []
    for row, found in table.items():
        ours, theirs = found.get(OURS), found.get(name)
        if ours and theirs and ours.total:
            ratios.append((theirs.total / ours.total, row))
    return min(ratios, default=None)
