"""Curves of long histories: through summaries, roughly at first, and whole again where a range is short."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from math import isnan, nan
from pathlib import Path

import pytest

from projrun.tracking.curves import Axis, Curve
from projrun.tracking.entities import Metric
from projrun.tracking.sql.engine import Connection
from projrun.tracking.sql.migrations import MIGRATIONS
from projrun.tracking.sql.samples import curves as module
from projrun.tracking.sql.samples.curves import SqlCurves
from projrun.tracking.sql.samples.summaries import extend
from projrun.tracking.sql.sqlite import SqliteEngine
from projrun.tracking.sql.store import SqlStore

POINTS = 3_000


@pytest.fixture
def run_id(tmp_path: Path) -> str:
    """A run of 3,000 points with a peak at step 1,500; time goes on by 5 ms."""
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        run = store.create_run("0", start_time=100).run_id
        values = [50.0 if step == 1_500 else step % 9 / 10 for step in range(POINTS)]
        store.log_batch(
            run, metrics=[Metric("m", value, 100 + 5 * step, step) for step, value in enumerate(values)]
        )
    return run


@pytest.fixture
def curves(run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlCurves]:
    """Where 1,000 points are long, and 600 too many to be read whole."""
    monkeypatch.setattr(module, "LONG", 1_000)
    monkeypatch.setattr(module, "_WHOLE", (600, 600))
    monkeypatch.setattr(module, "_AT_LEAST", (600, 600))
    with closing(SqliteEngine.open(tmp_path / "projrun.db")) as engine:
        yield SqlCurves(engine)


@pytest.mark.parametrize(("axis", "peak"), [("step", 1_500), ("time", 7_600), ("relative", 7_500)])
def test_summaries_keep_the_peak_on_each_axis(curves: SqlCurves, run_id: str, axis: Axis, peak: int) -> None:
    curve = curves.curves([(run_id, "m")], points=100, axis=axis)[0]
    assert curve.total == POINTS
    assert not curve.rough
    assert len(curve.x) < 100
    assert dict(zip(curve.x, curve.y, strict=True))[peak] == 50
    zoomed = curves.curves([(run_id, "m")], points=100, axis=axis, between=(peak - 20, peak + 20))[0]
    assert 50 in zoomed.y
    assert all(peak - 20 <= x <= peak + 20 for x in zoomed.x)
    assert len(zoomed.x) == (41 if axis == "step" else 9)


def test_without_time_for_summaries_a_curve_is_rough(
    curves: SqlCurves, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_LOOK", 0.0)
    curve = curves.curves([(run_id, "m")])[0]
    assert curve.rough
    assert (curve.x[0], curve.x[-1]) == (0, POINTS - 1)
    assert len(curve.x) == 201
    assert curves.curves([(run_id, "m")], between=(5_000, None))[0].x == []
    monkeypatch.undo()
    assert not curves.curves([(run_id, "m")])[0].rough


def test_a_range_of_few_summaries_has_more_than_their_peaks(curves: SqlCurves, run_id: str) -> None:
    curves.curves([(run_id, "m")])
    curve = curves.curves([(run_id, "m")], points=100, between=(700, 2_200))[0]
    assert (curve.total, curve.x[0], curve.x[-1]) == (1_501, 700, 2_200)
    assert dict(zip(curve.x, curve.y, strict=True))[1_500] == 50
    assert 90 < len(curve.x) <= 100
    assert max(after - before for before, after in pairwise(curve.x)) < 40


def _nans(curve: Curve) -> list[int]:
    return [x for x, y in zip(curve.x, curve.y, strict=True) if isnan(y)]


def test_a_nan_among_thousands_of_points_is_kept(curves: SqlCurves, run_id: str, tmp_path: Path) -> None:
    gone = {1_501, 2_222, *range(2_900, POINTS)}
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        points = [Metric("n", nan if step in gone else 1.0, step, step) for step in range(POINTS)]
        store.log_batch(run_id, metrics=points)
    for axis in ("step", "time"):
        curve = curves.curves([(run_id, "n")], points=100, axis=axis)[0]
        assert not curve.rough
        assert curve.total == POINTS
        assert _nans(curve)[:2] == [1_501, 2_222]
        assert _nans(curve)[-1] == POINTS - 1
    zoomed = curves.curves([(run_id, "n")], points=100, between=(1_400, 2_200))[0]
    assert _nans(zoomed) == [1_501]


def test_summaries_of_an_older_store_are_made_again_with_their_nan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WHOLE", (600, 600))
    monkeypatch.setattr(module, "_AT_LEAST", (600, 600))
    file, many = tmp_path / "old.db", 5_000
    with (
        closing(SqliteEngine.open(file, migrations=MIGRATIONS[:8])) as engine,
        engine.writing() as connection,
    ):
        connection.execute(
            "INSERT INTO runs (id, run_id, experiment_id, run_name, user_id, status, start_time, artifact_uri)"
            " VALUES (1, 'old', 0, '', '', 'FINISHED', 1, '')"
        )
        connection.execute(
            "INSERT INTO series (id, run, key, model_id, dataset_name, dataset_digest, step, timestamp, value, is_nan,"
            " latest, ordered, summarized_step, summarized_timestamp)"
            " VALUES (1, 1, 'm', '', '', '', 4999, 4999, 1.0, 0, 1, 1, 511, 511)"
        )
        points = [(step, step, 1.0, int(step == 123)) for step in range(many)]
        connection.executemany("INSERT INTO points VALUES (1, ?, ?, ?, ?)", points)
        connection.execute(
            "INSERT INTO summaries VALUES (1, 0, 512, 1, 0, 0, 1.0, 0, 511, 511, 1.0, 0, 0, 1.0, 0, 0)"
        )
    with closing(SqliteEngine.open(file)) as engine:
        curve = SqlCurves(engine).curves([("old", "m")], points=100)[0]
    assert (curve.rough, curve.total, _nans(curve)) == (False, many, [123])


def test_who_looks_first_does_not_wait_for_summaries(
    curves: SqlCurves, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        store.log_batch(run_id, metrics=[Metric("other", step, step, step) for step in range(POINTS)])
    curves.curves([(run_id, "m")])
    monkeypatch.setattr(module, "_FIRST_LOOK", 0.0)
    both = [(run_id, "m"), (run_id, "other")]
    assert [curve.rough for curve in curves.curves(both)] == [False, True]
    assert [curve.rough for curve in curves.curves(both, patient=True)] == [False, False]


def test_who_is_in_a_hurry_does_not_wait_for_summaries_of_others(
    curves: SqlCurves, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def looked_at_meanwhile(connection: Connection, number: int) -> bool:
        made.append(extend(connection, number))
        if len(made) == 1:
            with (
                ThreadPoolExecutor(1) as other,
                closing(SqliteEngine.open(curves._engine.path)) as engine,  # type: ignore[attr-defined]  # a file's
            ):
                look = other.submit(lambda: SqlCurves(engine).curves([(run_id, "m")]))
                assert look.result(10)[0].rough
        return True  # there is more to do

    monkeypatch.setattr(module, "extend", looked_at_meanwhile)
    assert curves.curves([(run_id, "m")], patient=True)[0].rough
    assert made == [False]  # the request that waited made way


def test_rough_curves_of_steps_that_are_apart(
    curves: SqlCurves, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        store.log_batch(
            run_id, metrics=[Metric("apart", step, step, step * step) for step in range(1, POINTS)]
        )
    monkeypatch.setattr(module, "_FIRST_LOOK", 0.0)
    curve = curves.curves([(run_id, "apart")])[0]
    assert curve.rough
    assert (curve.x[0], curve.x[-1]) == (1, (POINTS - 1) ** 2)
    assert len(curve.x) == 201
