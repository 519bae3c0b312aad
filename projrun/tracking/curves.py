"""`Curves`: histories of metrics as a chart draws them, few points of many, with every peak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

Axis = Literal["step", "time", "relative"]
"""What x is: the step, milliseconds since 1970, or milliseconds since the run's start."""

MOST_CURVES = 1_000
"""In one request."""
MOST_POINTS = 10_000
"""Of one curve, and the fewest is 10."""


class Curve(NamedTuple):
    """The history of one metric of one run, sorted by x; a NaN among the values stays."""

    run_id: str
    key: str
    total: int
    """Points in the range that was asked for, as far as they are counted."""
    rough: bool
    """A quick look at a long history: asked again, it has its peaks."""
    x: list[int]
    y: list[float]


@runtime_checkable
class Curves(Protocol):
    """What a chart reads."""

    def curves(
        self,
        series: Sequence[tuple[str, str]],
        *,
        points: int = 1_000,
        axis: Axis = "step",
        between: tuple[float | None, float | None] = (None, None),
        patient: bool = False,
    ) -> list[Curve]:
        """Those of some runs and keys, in their order; one without values has no points.

        Of more than about `points`, they are the least and the greatest of equal parts, and the first and the last.
        `between` is a range of x. `patient`: who asks has something to look at, and would rather wait a second than
        see rough curves.
        """
        ...
