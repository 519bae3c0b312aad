"""Points of a long series by their place in it, found through its summaries."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import itemgetter

from projrun.tracking.sql.engine import CHUNK, UNLIMITED, Connection, in_list
from projrun.tracking.sql.samples.summaries import (
    COLUMNS,
    POINTS,
    Extremes,
    Last,
    Point,
    Summary,
    least_and_greatest,
    read,
    read_extremes,
    read_last,
)

_FROM = f"SELECT {COLUMNS} FROM points WHERE series = ? AND ({COLUMNS}) >= (?, ?, ?, ?) ORDER BY {COLUMNS}"
_BEFORE = (
    f"SELECT {COLUMNS} FROM points WHERE series = ? AND ({COLUMNS}) < (?, ?, ?, ?)"
    f" ORDER BY {', '.join(f'{column} DESC' for column in COLUMNS.split(', '))}"
)
_value = itemgetter(2)


class LongSeries:
    """A series with summaries, within a transaction: places count from 0 by step, time and value."""

    def __init__(self, connection: Connection, series: int, last: Last) -> None:
        self._connection = connection
        self._series = series
        self._summarized = (last.number + 1) * POINTS
        # What came since the summaries were made: few, but for a moment.
        rest = f"{_FROM} LIMIT {UNLIMITED} OFFSET {POINTS}"
        self._rest: list[Point] = connection.execute(rest, (series, *last.first)).fetchall()

    @classmethod
    def read(cls, connection: Connection, series: int) -> LongSeries | None:
        """None for a series without summaries."""
        last = read_last(connection, series)
        return last and cls(connection, series, last)

    @cached_property
    def _summaries(self) -> Sequence[Summary]:
        """Read when they are needed: a series of a million points has two thousand."""
        return read(self._connection, self._series)

    def places(self, steps: tuple[int, int] | None) -> tuple[int, int]:
        """The first place, and that after the last, from and to the given steps."""
        if steps is None:
            return 0, self._summarized + len(self._rest)
        first = self._place_of(steps[0])
        return first, max(self._place_of(steps[1] + 1), first)

    def steps_of(self, first: int, last: int) -> tuple[int, int]:
        """From and to which step the points between two times are, and some before and after: time never goes back."""
        times = [summary.timestamp for summary in self._summaries]
        begin, end = bisect_left(times, first) - 1, bisect_right(times, last)
        low = self._summaries[begin].step if begin > 0 else self._summaries[0].step
        return low, self._summaries[end].step if end < len(times) else UNLIMITED

    def _place_of(self, step: int) -> int:
        """How many points come before a step."""
        if self._rest and step > self._rest[0][0]:
            return self._summarized + sum(point[0] < step for point in self._rest)
        number = bisect_left(self._summaries, step, key=lambda summary: summary.step) - 1
        if number < 0:
            return 0
        rows = self._connection.execute(
            f"SELECT count(*) FROM points WHERE series = ? AND ({COLUMNS}) >= (?, ?, ?, ?) AND step < ?",
            (self._series, *self._summaries[number].first, step),
        )
        before: int = rows.fetchone()[0]
        return number * POINTS + before

    def at(self, places: Sequence[int]) -> Iterable[Point]:
        """The points at some places, which are in their order."""
        found: dict[int, Point] = {}
        even: dict[int, int] = {}
        for place in places:
            if place >= self._summarized:
                found[place] = self._rest[place - self._summarized]
                continue
            number, offset = divmod(place, POINTS)
            summary = self._summaries[number]
            if not offset:
                found[place] = summary.first
            elif summary.stride:
                even[place] = summary.step + summary.stride * offset
            else:
                found[place] = self._seek(number, offset)
        by_step = self._at_steps(list(even.values()))
        found.update((place, by_step[step]) for place, step in even.items())
        return [found[place] for place in places]

    def _at_steps(self, steps: Sequence[int]) -> dict[int, Point]:
        """The first point at each step."""
        rows: list[Point] = []
        for start in range(0, len(steps), CHUNK):
            chunk = steps[start : start + CHUNK]
            rows += self._connection.execute(
                f"SELECT {COLUMNS} FROM points WHERE series = ? AND {in_list('step', chunk)}",
                (self._series, *chunk),
            ).fetchall()
        # Of several at a step, the last one stays in a dictionary.
        return {row[0]: row for row in sorted(rows)[::-1]}

    def _seek(self, number: int, offset: int) -> Point:
        """The point at an offset from a summary's first, from the nearer end."""
        if offset > POINTS // 2 and number + 1 < len(self._summaries):
            statement, first = f"{_BEFORE} LIMIT 1 OFFSET ?", self._summaries[number + 1].first
            offset = POINTS - 1 - offset
        else:
            statement, first = f"{_FROM} LIMIT 1 OFFSET ?", self._summaries[number].first
        point: Point = self._connection.execute(statement, (self._series, *first, offset)).fetchone()
        return point

    def extremes(self, first: int, end: int, most: int) -> Iterable[Point]:
        """The least and the greatest of at most so many points' parts."""
        if end - first <= most:
            return self.at(range(first, end))
        parts = [part for part in self._parts(first, end) if part.least]
        return _in_groups(parts, max(most // 2, 1))[:most]

    def peaks(self, first: int, end: int) -> list[Point]:
        """The least, the greatest and a NaN of each part, however many there are."""
        return [point for part in self._parts(first, end) for point in part if point]

    def is_even(self, first: int, end: int) -> bool:
        """Whether points between two places are found by their step, without going over those before them."""
        return all(summary.stride for summary in self._summaries[first // POINTS : -(-end // POINTS)])

    def _parts(self, first: int, end: int) -> list[Extremes]:
        """Whole summaries; at the edges, what there is of one."""
        lowest, highest = -(-first // POINTS), min(end, self._summarized) // POINTS
        return [
            self._between(first, min(lowest * POINTS, end)),
            *read_extremes(self._connection, self._series, lowest, highest),
            self._between(max(highest, lowest) * POINTS, end),
        ]

    def _between(self, first: int, end: int) -> Extremes:
        points: list[Point] = []
        if first >= end:
            return Extremes(None, None, None)
        if first < min(end, self._summarized):
            number, offset = divmod(first, POINTS)
            rows = self._connection.execute(
                f"{_FROM} LIMIT ? OFFSET ?",
                (self._series, *self._summaries[number].first, min(end, self._summarized) - first, offset),
            )
            points = rows.fetchall()
        if end > self._summarized:
            points += self._rest[max(first - self._summarized, 0) : end - self._summarized]
        return least_and_greatest(points)


def _in_groups(parts: Sequence[Extremes], most: int) -> list[Point]:
    """The extremes of at most so many groups of parts, by step."""
    groups = min(most, len(parts))
    lows = [part.least for part in parts if part.least]
    highs = [part.greatest for part in parts if part.greatest]
    found: list[Point] = []
    for group in range(groups):
        members = slice(group * len(parts) // groups, (group + 1) * len(parts) // groups)
        low, high = min(lows[members], key=_value), max(highs[members], key=_value)
        found += [low] if low == high else sorted((low, high))
    return found
