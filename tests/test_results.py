"""`projrun.search_runs` and its like: what a notebook reads."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import projrun
from projrun.errors import RequestError
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.runs import LocalStore
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """Two experiments with a run each, of which the second is the later one."""
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    with closing(SqlStore.open(new_store(tmp_path / "home" / "projrun.db"))) as store:
        for start, name in enumerate(("red", "white"), 1):
            run = store.create_run(
                store.create_experiment(name),
                run_name=f"{name}-run",
                start_time=start * 1000,
                tags=[Tag("team", "a")],
            )
            points = [Metric("loss", 1 / (step + 1), 1000 + step, step) for step in (2, 0, 1)]
            store.log_batch(run.run_id, metrics=points, params=[Param("alpha", "0.5")])
            store.update_run(run.run_id, status="FINISHED", end_time=start * 1000 + 1500)
        yield store


@pytest.fixture(params=["sql", "rest"])
def uri(request: pytest.FixtureRequest, store: SqlStore, tmp_path: Path) -> Iterator[str | None]:
    if request.param == "sql":
        yield None
        return
    with Endpoint.open(lambda: SqlStore.open(tmp_path / "home" / "projrun.db")) as endpoint:
        yield endpoint.uri


def test_searching(uri: str | None, store: SqlStore) -> None:
    assert [run.name for run in projrun.search_runs(tracking_uri=uri)] == ["white-run", "red-run"]
    assert [run.name for run in projrun.search_runs("red", tracking_uri=uri)] == ["red-run"]
    both = projrun.search_runs(["red", "white"], order_by="attributes.start_time ASC", tracking_uri=uri)
    assert [run.name for run in both] == ["red-run", "white-run"]
    assert len(projrun.search_runs(max_results=1, tracking_uri=uri)) == 1
    assert projrun.search_runs(filter_string="metrics.loss > 1", tracking_uri=uri) == ()
    part_of(store, LifeCycle).delete_run(both[0].run_id)
    assert [run.name for run in projrun.search_runs(deleted=True, tracking_uri=uri)] == ["red-run"]
    with pytest.raises(RequestError, match="experiment 'x' not found"):
        projrun.search_runs("x", tracking_uri=uri)


def test_more_runs_than_a_page(store: SqlStore) -> None:
    with part_of(store, LocalStore).joined():
        for number in range(1001):
            store.create_run("0", start_time=number)
    assert len({run.run_id for run in projrun.search_runs("Default")}) == 1001
    assert len(projrun.search_runs("Default", max_results=1001)) == 1001


def test_a_run(uri: str | None, store: SqlStore) -> None:
    run = projrun.get_run("red-run", tracking_uri=uri)
    assert run == projrun.get_run("-2", tracking_uri=uri)
    assert (run.status, run.params, run.metrics) == ("FINISHED", {"alpha": "0.5"}, {"loss": 1 / 3})
    assert (run.tags["team"], run.parent_run_id) == ("a", None)
    assert (run.start_time, run.duration) == (datetime.fromtimestamp(1, timezone.utc), timedelta(seconds=1.5))
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        run.metrics["loss"] = 0.0  # type: ignore[index]


def test_a_history(uri: str | None) -> None:
    points = projrun.metric_history("latest", "loss", tracking_uri=uri)
    assert [(point.step, point.value) for point in points] == [(0, 1.0), (1, 1 / 2), (2, 1 / 3)]
    assert points[0].time == datetime.fromtimestamp(1, timezone.utc)
    with pytest.raises(RequestError, match="no metric 'los'; did you mean 'loss'"):
        projrun.metric_history("latest", "los", tracking_uri=uri)


def test_files(uri: str | None, store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text", encoding="utf-8")
    run = projrun.get_run("latest")
    for path in ("b.txt", "folder/a.txt"):
        store.artifacts(run.artifact_uri).upload(tmp_path / "file", path)
    found = projrun.artifacts(run.run_id, tracking_uri=uri)
    assert found == (projrun.ArtifactFile("b.txt", 4), projrun.ArtifactFile("folder/a.txt", 4))
    assert projrun.artifacts("latest", "folder", tracking_uri=uri) == found[1:]


def test_without_pandas_the_error_says_so(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        projrun.search_runs().to_pandas()


SCRIPT = """
import projrun
frame = projrun.search_runs(order_by="attributes.start_time ASC").to_pandas()
assert list(frame["name"]) == ["red-run", "white-run"], frame
assert list(frame["params.alpha"]) == ["0.5", "0.5"]
assert frame["metrics.loss"].dtype == float and frame["metrics.loss"][0] == 1 / 3
assert str(frame["start_time"].dt.tz) == "UTC"
history = projrun.metric_history("-1", "loss").to_pandas()
assert list(history["step"]) == [0, 1, 2] and history["value"].sum() > 1.8
assert list(projrun.artifacts("-1").to_pandas().columns) == ["path", "size"]
"""


@pytest.mark.parametrize(
    "function", [projrun.run, projrun.rerun, projrun.search_runs, projrun.get_run, projrun.artifacts]
)
def test_help_explains_each_parameter(function: object) -> None:
    shown = inspect.getdoc(function) or ""
    for name in inspect.signature(function).parameters:  # type: ignore[arg-type]
        (line,) = [line for line in shown.splitlines() if line.strip().startswith(f"{name}: ")]
        assert len(line.split(":", 1)[1]) > 8, name


def test_dir_lists_what_there_is() -> None:
    assert dir(projrun) == sorted((*projrun.__all__, "log"))
    assert all(hasattr(projrun, name) for name in projrun.__all__)


@pytest.mark.processes
def test_importing_stays_light() -> None:
    code = "import sys; before = set(sys.modules); import projrun; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"__future__", "projrun", "projrun.version"}
