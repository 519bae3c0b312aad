"""The conformance kit of `Curves`: histories as a chart draws them.

class TestMyStore(CurvesConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RunStore]: ...
"""

from __future__ import annotations

from math import isnan, nan

import pytest

from projrun.errors import InvalidValueError
from projrun.testing.run_store_base import NO_RUN, ConformanceBase
from projrun.tracking.curves import Curve, Curves
from projrun.tracking.entities import Metric, Run
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore

START = 1_000
"""Of the kit's run."""


class CurvesConformance(ConformanceBase):
    """Curves of several runs at once."""

    @pytest.fixture
    def curves(self, store: RunStore) -> Curves:
        """The part of the store that is tested."""
        return part_of(store, Curves)

    @pytest.fixture
    def saw(self, store: RunStore, run: Run) -> str:
        """A run of 1,000 points with a peak, a trough and a NaN; steps are even, a step takes 10 ms."""
        values = {501: 99.0, 333: -99.0, 700: nan}
        points = [
            Metric("saw", values.get(place, place % 7), START + 10 * place, 2 * place)
            for place in range(1000)
        ]
        store.log_batch(run.run_id, metrics=points)
        return run.run_id

    def curve(self, curves: Curves, run_id: str, key: str = "saw", **asked: object) -> Curve:
        """One curve."""
        return curves.curves([(run_id, key)], **asked)[0]  # type: ignore[arg-type]  # as the test says

    def test_a_short_curve_is_whole(self, curves: Curves, saw: str) -> None:
        curve = self.curve(curves, saw)
        assert (curve.run_id, curve.key, curve.total, curve.rough) == (saw, "saw", 1000, False)
        assert curve.x == [*range(0, 2000, 2)]
        assert curve.y[:7] == [0, 1, 2, 3, 4, 5, 6]

    def test_fewer_points_keep_every_peak(self, curves: Curves, saw: str) -> None:
        curve = self.curve(curves, saw, points=50)
        assert len(curve.x) <= 55
        assert (curve.x[0], curve.x[-1]) == (0, 1998)
        assert curve.x == sorted(curve.x)
        found = dict(zip(curve.x, curve.y, strict=True))
        assert found[1002] == 99
        assert found[666] == -99
        assert isnan(found[1400])

    @pytest.mark.parametrize(
        ("axis", "between", "expected"),
        [
            ("step", (99.5, 104), [100, 102, 104]),
            ("time", (START + 490, START + 510), [START + 490, START + 500, START + 510]),
            ("relative", (480, 500.5), [480, 490, 500]),
            ("step", (5000, None), []),
            ("step", (None, 2), [0, 2]),
            ("step", (-1e300, 1e300), [*range(0, 2000, 2)]),
        ],
    )
    def test_a_range_of_each_axis(
        self,
        curves: Curves,
        saw: str,
        axis: str,
        between: tuple[float | None, float | None],
        expected: list[int],
    ) -> None:
        assert self.curve(curves, saw, axis=axis, between=between).x == expected

    def test_curves_come_in_the_order_they_are_asked_for(
        self, store: RunStore, curves: Curves, saw: str, experiment_id: str
    ) -> None:
        other = store.create_run(experiment_id, start_time=1).run_id
        store.log_batch(other, metrics=[Metric("late", 2.0, 9, 0), Metric("late", 1.0, 5, 1)])
        asked = [(other, "late"), (NO_RUN, "saw"), (saw, "saw"), (other, "absent")]
        found = curves.curves(asked, points=10)
        assert [(curve.run_id, curve.key) for curve in found] == asked
        assert [bool(curve.x) for curve in found] == [True, False, True, False]
        assert self.curve(curves, other, "late", axis="time")[4:] == ([5, 9], [1.0, 2.0])

    def test_what_is_too_much_is_refused(self, curves: Curves, saw: str) -> None:
        with pytest.raises(InvalidValueError):
            self.curve(curves, saw, points=9)
        with pytest.raises(InvalidValueError):
            curves.curves([(saw, "saw")] * 1001)
