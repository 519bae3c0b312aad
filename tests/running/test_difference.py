"""Two runs compared, from a real store with real artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from projrun.running.difference import MetricRow, Row, RunDifference, compare_runs
from projrun.tracking.entities import Metric, Param, Run, Tag
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store

WHOLE = {"projrun.source.patch": "complete"}


def patch(text: str) -> dict[str, str]:
    return {"source/dirty.patch": text}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(new_store(tmp_path / "projrun.db"), warn=print)
    yield opened
    opened.close()


def make_run(
    store: SqlStore,
    folder: Path,
    *,
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Run:
    run = store.create_run("0", start_time=1, tags=[Tag(*item) for item in (tags or {}).items()])
    store.log_batch(
        run.run_id,
        params=[Param(*item) for item in (params or {}).items()],
        metrics=[Metric(key, value, 1) for key, value in (metrics or {}).items()],
    )
    for path, text in (files or {}).items():
        file = folder / "upload"
        file.write_text(text)
        store.artifacts(run.artifact_uri).upload(file, path)
    return store.get_run(run.run_id)


def test_everything_is_compared(store: SqlStore, tmp_path: Path) -> None:
    lock = "environment/requirements.lock.txt"
    left = make_run(
        store,
        tmp_path,
        params={"alpha": "1", "same": "x", "only": "l"},
        metrics={"rmse": 0.5, "same": 1.0, "lost": float("nan")},
        tags={"mlflow.source.git.commit": "a", "note": "l", **WHOLE},
        files={lock: "# python 3.11.7\nsix==1\n", "source/dirty.patch": "x"},
    )
    right = make_run(
        store,
        tmp_path,
        params={"alpha": "2", "same": "x"},
        metrics={"rmse": 0.25, "same": 1.0, "lost": float("nan"), "new": 1.0},
        tags={"mlflow.source.git.commit": "b", **WHOLE},
        files={lock: "# python 3.11.7\nsix==2\nextra==1\n", "source/dirty.patch": "y"},
    )
    found = compare_runs(left, right, store)
    assert Row("commit", "a", "b") in found.facts
    assert Row("status", "RUNNING", "RUNNING") in found.facts
    assert Row("uncommitted changes", "recorded", "recorded, not the same") in found.facts
    assert found.parameters == (Row("alpha", "1", "2"), Row("only", "l", None), Row("same", "x", "x"))
    metrics = {row.name: row for row in found.metrics}
    assert metrics["rmse"].difference == -0.25
    assert metrics["new"] == MetricRow("new", None, 1.0)
    assert metrics["new"].difference is None
    assert [row.name for row in found.metrics if row.equal] == ["lost", "same"]
    assert found.packages == (
        Row("extra", None, "1"),
        Row("python", "3.11.7", "3.11.7"),
        Row("six", "1", "2"),
    )
    assert [row.name for row in found.tags] == ["note", *WHOLE]


@pytest.mark.parametrize(
    ("left", "right", "row"),
    [
        (None, None, None),
        ("x", "x", Row("uncommitted changes", "recorded", "recorded")),
        (None, "x", Row("uncommitted changes", None, "recorded")),
        ("x", None, Row("uncommitted changes", "recorded", None)),
    ],
)
def test_uncommitted_changes(
    store: SqlStore, tmp_path: Path, left: str | None, right: str | None, row: Row | None
) -> None:
    runs = [
        make_run(store, tmp_path)
        if text is None
        else make_run(store, tmp_path, tags=WHOLE, files=patch(text))
        for text in (left, right)
    ]
    found = compare_runs(runs[0], runs[1], store)
    assert [one for one in found.facts if one.name == "uncommitted changes"] == ([row] if row else [])


def test_equal_patches_say_nothing_of_what_they_leave_out(store: SqlStore, tmp_path: Path) -> None:
    tags = {"projrun.source.patch": "partial: without x.bin (binary)"}
    runs = [make_run(store, tmp_path, tags=tags, files=patch("x")) for _ in range(2)]
    (row,) = [one for one in compare_runs(runs[0], runs[1], store).facts if one.name == "uncommitted changes"]
    assert not row.equal
    assert row.right == "recorded, the same as far as they go"


def test_the_patch_of_what_a_run_was_before_does_not_count(store: SqlStore, tmp_path: Path) -> None:
    run = make_run(store, tmp_path, files=patch("x"))
    assert "uncommitted changes" not in [row.name for row in compare_runs(run, run, store).facts]


def test_what_only_one_run_can_tell_is_not_compared(store: SqlStore, tmp_path: Path) -> None:
    files = {"environment/requirements.lock.txt": "six==1\n", **patch("x")}
    run = make_run(store, tmp_path, tags=WHOLE, files=files)
    found = compare_runs(run, run._replace(artifact_uri="gopher://x"), store)
    assert found.packages == ()
    assert "uncommitted changes" not in [row.name for row in found.facts]


def test_artifacts_that_cannot_be_had_are_a_warning(store: SqlStore, tmp_path: Path) -> None:
    run = make_run(store, tmp_path, params={"a": "1"})
    found = compare_runs(run, run._replace(artifact_uri="gopher://x"), store)
    assert isinstance(found, RunDifference)
    assert len(found.warnings) == 1
    assert "cannot be compared" in found.warnings[0]
    assert found.parameters == (Row("a", "1", "1"),)
