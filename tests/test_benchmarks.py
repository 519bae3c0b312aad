"""Parts of the benchmarks that could be wrong without anybody seeing it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from benchmarks.looking import Frames
from benchmarks.many_runs import Shape, fill, name_of
from benchmarks.page_goals import goals
from projrun.tracking.sql.store import SqlStore


def test_a_page_is_judged_by_its_own_times_and_by_the_row_in_which_the_other_comes_nearest() -> None:
    mine = {"first rows, ms": 900.0, "sort, ms": 100.0, "scroll, p95 of frames, ms": 20.0}
    other = {"first rows, ms": 4000.0, "sort, ms": 600.0, "scroll, p95 of frames, ms": 20.0}
    found = {goal.name: goal.reached for goal in goals({"many": {"projrun": mine, "mlflow": other}})}
    assert found == {
        "many: first rows, ms": True,
        "many: scroll, p95 of frames, ms": False,
        "many: times ours, mlflow, first rows, ms": False,
    }


def test_frames_that_come_late_are_counted() -> None:
    frames = Frames((16.7,) * 90 + (50.0,) * 10, 0)
    assert (frames.p95, frames.late) == (50.0, 10.0)


def test_a_store_is_filled_with_the_runs_that_were_asked_for(tmp_path: Path) -> None:
    experiment = fill(tmp_path / "runs.db", Shape(runs=20, params=2, metrics=3, points=5))
    with closing(SqlStore.open(tmp_path / "runs.db")) as store:
        found = store.search_runs([experiment]).runs
        assert [run.run_name for run in found] == [name_of(number) for number in reversed(range(20))]
        newest = found[0]
        assert [param.key for param in newest.params] == ["param_000", "param_001"]
        history = store.get_metric_history(newest.run_id, "metric_002").metrics
        assert [point.step for point in history] == [0, 1, 2, 3, 4]
        assert history[-1].value == newest.metrics[2].value
