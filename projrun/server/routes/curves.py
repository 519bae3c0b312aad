"""Curves of metrics, for charts: not MLflow's route."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import msgspec

from projrun.server import permissions, wire
from projrun.server.api import Route, own_paths
from projrun.tracking.curves import Axis, Curves
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore


class _Series(wire.Message):
    run_id: str
    key: str


class _Wanted(wire.Message):
    series: tuple[_Series, ...] = ()
    points: wire.Int64 = 1_000
    x: Axis = "step"
    start: float | None = None
    end: float | None = None
    patient: bool = False

    @property
    def run_ids(self) -> tuple[str, ...]:
        """As permissions name them."""
        return tuple(dict.fromkeys(each.run_id for each in self.series))


class _Curve(msgspec.Struct):
    run_id: str
    key: str
    total: int
    rough: bool
    x: Sequence[int]
    y: Sequence[float | str]


class _Curves(msgspec.Struct):
    curves: list[_Curve]


def _read(store: RunStore, message: _Wanted) -> _Curves:
    found = part_of(store, Curves).curves(
        [(each.run_id, each.key) for each in message.series],
        points=message.points,
        axis=message.x,
        between=(message.start, message.end),
        patient=message.patient,
    )
    return _Curves([_Curve(*curve[:5], _shown(curve.y)) for curve in found])


def _shown(values: Sequence[float]) -> Sequence[float | str]:
    """As JSON can hold them."""
    return values if all(map(isfinite, values)) else [wire.number(value) for value in values]


ROUTES = (
    Route(
        ("POST",),
        own_paths("curves"),
        _Wanted,
        permissions.READ_RUNS,
        False,
        lambda store, message, caller: _read(store, message),
    ),
)
