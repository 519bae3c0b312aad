"""Ratios to reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Target(NamedTuple):
    """A ratio to reach: the median of `slower` over the median of `faster`."""

    slower: str
    faster: str
    ratio: float
    at_least: bool = True

    def measured(self, milliseconds: Mapping[str, float]) -> float:
        """The ratio of this benchmark."""
        return milliseconds[self.slower] / milliseconds[self.faster]

    def reached(self, milliseconds: Mapping[str, float]) -> bool:
        """Whether the ratio is on the right side."""
        measured = self.measured(milliseconds)
        return measured >= self.ratio if self.at_least else measured < self.ratio

    def document(self, milliseconds: Mapping[str, float]) -> dict[str, object]:
        """The target and what was measured, for programs."""
        return {
            "slower": self.slower,
            "faster": self.faster,
            "measured": self.measured(milliseconds),
            "target": self.ratio,
            "at_least": self.at_least,
            "reached": self.reached(milliseconds),
        }


def target_line(target: Target, milliseconds: Mapping[str, float]) -> str:
    """The same for people."""
    goal = f"{'at least' if target.at_least else 'under'} {target.ratio:g}"
    mark, measured = mark_of(target.reached(milliseconds)), target.measured(milliseconds)
    return f"  {mark} {target.slower} / {target.faster}: {measured:.2f}, target {goal}"


def mark_of(reached: bool) -> str:
    """How a target is marked in a table."""
    return "reached" if reached else "MISSED "
