"""What people do with results: look at curves and files, compare, label, and find the best."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.cli.execution import execute
from projrun.cli.views.plots import plot_lines
from projrun.cli.views.runs import _under_parents
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Dataset, Metric, Param, Run, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import run_projrun
from tests.support.projects import write_project
from tests.support.stores import new_store

NAN = float("nan")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "home" / "projrun.db"))) as store:
        yield store


class Command:
    """Commands against one store, in this process."""

    def __init__(self, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.uri = uri
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        """What it printed."""
        self._capsys.readouterr()
        done = execute([*words, "--tracking-uri", self.uri])
        out, err = self._capsys.readouterr()
        assert done == code, err
        return out if code == 0 else err

    def document(self, *words: str) -> Any:
        """The JSON that it printed."""
        return json.loads(self(*words, "--json"))


@pytest.fixture(params=["sql", "rest"])
def projrun(
    request: pytest.FixtureRequest,
    store: SqlStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Command]:
    database = tmp_path / "home" / "projrun.db"
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    if request.param == "sql":
        yield Command(f"sqlite:///{database}", capsys)
        return
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        yield Command(endpoint.uri, capsys)


def new_run(
    store: SqlStore, name: str, start: int, *, experiment: str = "0", parent: str = "", **metrics: float
) -> Run:
    tags = [Tag("mlflow.parentRunId", parent)] if parent else []
    run = store.create_run(experiment, run_name=name, start_time=start, tags=tags)
    points = [Metric(key, value, start) for key, value in metrics.items()]
    store.log_batch(run.run_id, metrics=points, params=[Param("alpha", f"0.{start}")])
    store.update_run(run.run_id, status="FINISHED", end_time=start + 1)
    return store.get_run(run.run_id)


def test_the_history_of_a_metric(projrun: Command, store: SqlStore) -> None:
    run = new_run(store, "one", 1)
    points = [Metric("loss", 1 / (step + 1), 1000 + step, step) for step in range(2500)]
    for begin in range(0, 2500, 1000):
        store.log_batch(run.run_id, metrics=points[begin : begin + 1000])
    document = projrun.document("runs", "metrics", "one", "loss")
    assert list(document) == ["run_id", "key", "points"]
    assert [(one["step"], one["value"]) for one in document["points"]] == [
        (point.step, point.value) for point in points
    ]
    head, *rows = projrun("runs", "metrics", "one", "loss", "--limit", "3").splitlines()
    assert head == "STEP\tVALUE\tTIME"
    assert [row.split("\t")[:2] for row in rows] == [[str(p.step), repr(p.value)] for p in points[-3:]]
    latest = projrun.document("runs", "metrics", "one")
    assert latest["metrics"] == [{"key": "loss", "step": 2499, "value": 1 / 2500, "timestamp": 3499}]
    assert "no metric 'los'; did you mean 'loss'?" in projrun("runs", "metrics", "one", "los", code=2)


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(("width", "height"), [(80, 12), (20, 5), (1, 2)])
@pytest.mark.parametrize(
    "values",
    [
        [1.0],
        [1.0, 1.0],
        [3.0, -1.0, 2.0, NAN],
        [1e308, -1e308, float("inf")],
        [float(n) for n in range(5000)],
    ],
)
def test_a_plot_has_its_size(values: list[float], width: int, height: int, ascii_only: bool) -> None:
    lines = plot_lines(list(enumerate(values)), width, height, ascii_only=ascii_only)
    assert len(lines) == height + 1
    if width == 80:
        assert max(map(len, lines)) <= width
    finite = [value for value in values if abs(value) < float("inf")]
    assert lines[0].split()[0] == f"{max(finite):g}"
    assert sum("*" in line or any("\u2801" <= c <= "\u28ff" for c in line) for line in lines) >= min(
        len(values), 1
    )


def test_a_plot_shows_the_curve() -> None:
    lines = plot_lines([(0, 0.0), (1, 1.0), (2, 0.0)], 11, 3, ascii_only=True)
    assert lines == ["1 |   ***", "  | **   *", "0 |*      *", "   0      2"]
    assert plot_lines([(0, NAN)], 10, 3, ascii_only=True) == []


def test_comparing_several_runs(projrun: Command, store: SqlStore) -> None:
    runs = [
        new_run(store, name, start, rmse=start / 4, same=1, nan=NAN) for start, name in enumerate("xyz", 1)
    ]
    document = projrun.document("runs", "compare", "x", "y", "-1")
    assert list(document) == ["runs", "rows"]
    assert [run["run_id"] for run in document["runs"]] == [run.run_id for run in runs]
    rows = {row["name"]: row for row in document["rows"]}
    assert rows["rmse"] == {"section": "metrics", "name": "rmse", "values": [0.25, 0.5, 0.75], "equal": False}
    assert [rows[name]["equal"] for name in ("same", "nan", "alpha", "status")] == [True, True, False, True]
    shown = [line.split("\t") for line in projrun("runs", "compare", "x", "y", "z").splitlines()]
    assert shown[0][0] == "WHAT"
    assert [row[0] for row in shown[1:]] == ["params.alpha", "metrics.rmse"]
    assert shown[2][1:] == ["0.25", "0.5", "0.75"]
    assert "metrics.same" in projrun("runs", "compare", "x", "y", "--all")
    assert "two runs or more" in projrun("runs", "compare", "x", runs[0].run_id, code=2)


def test_the_best_run(projrun: Command, store: SqlStore) -> None:
    experiment = store.create_experiment("wine")
    new_run(store, "elsewhere", 9, rmse=0.0)
    new_run(store, "undefined", 4, experiment=experiment, rmse=NAN)
    new_run(store, "without", 5, experiment=experiment)
    failed = new_run(store, "failed", 6, experiment=experiment, rmse=0.01)
    store.update_run(failed.run_id, status="FAILED")
    values = enumerate((0.5, 0.25, 0.75), 1)
    runs = [
        new_run(store, f"run {value}", start, experiment=experiment, rmse=value) for start, value in values
    ]
    best = ("runs", "best", "wine", "--metric", "rmse")
    assert projrun(*best, "--min", "--id") == f"{runs[1].run_id}\n"
    assert projrun(*best, "--max", "--id") == f"{runs[2].run_id}\n"
    three = [run["run_id"] for run in projrun.document(*best, "--min", "-n", "9")["runs"]]
    assert three == [runs[place].run_id for place in (1, 0, 2)]
    assert projrun(*best, "--min").splitlines()[0].split("\t") == [
        "RUN", "NAME", "metrics.rmse", "STARTED", "PARAMETERS",
    ]  # fmt: skip
    assert "add --min or --max" in projrun(*best, code=2)
    refused = projrun("runs", "best", "wine", "--metric", "x", "--min", code=2)
    assert "has no finished run with the metric 'x'" in refused


def test_labels(projrun: Command, store: SqlStore) -> None:
    run = new_run(store, "one", 1)
    projrun("runs", "tag", "one", "team=red", "release=a=b")
    projrun("runs", "describe", "one", "for the talk")
    assert projrun("runs", "rename", "one", "two") == f"renamed run one ({run.run_id}) to two\n"
    document = projrun.document("runs", "show", "two")
    assert (document["tags"]["release"], document["tags"]["team"]) == ("a=b", "red")
    assert "description  for the talk" in projrun("runs", "show", "two")
    projrun("runs", "tag", "two", "--remove", "team")
    assert "team" not in projrun.document("runs", "describe", "two", "")["tags"]
    assert "mlflow.note.content" not in projrun.document("runs", "show", "two")["tags"]
    assert "has no tag 'x'" in projrun("runs", "tag", "two", "y=1", "--remove", "x", code=2)
    assert "y" not in projrun.document("runs", "show", "two")["tags"], "nothing is changed"
    assert "is not a tag" in projrun("runs", "tag", "two", "x", code=2)


def test_files_of_a_run(
    projrun: Command, store: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = new_run(store, "one", 1)
    repository = store.artifacts(run.artifact_uri)
    source = tmp_path / "source"
    for path, text in (("plots/roc.png", "picture"), ("plots/deep/a.txt", "text"), ("notes.md", "notes")):
        source.write_text(text, encoding="utf-8")
        repository.upload(source, path)
    listed = projrun.document("artifacts", "list", "latest")
    assert list(listed) == ["uri", "artifact_uri", "artifacts"]
    paths = ["notes.md", "plots/deep/a.txt", "plots/roc.png"]
    assert listed["artifacts"] == [
        {"path": path, "size": size} for path, size in zip(paths, (5, 4, 7), strict=True)
    ]
    assert projrun("artifacts", "list", f"runs:/{run.run_id[:6]}/plots").splitlines()[1:] == [
        "plots/deep/a.txt\t4", "plots/roc.png\t7",
    ]  # fmt: skip
    assert projrun("artifacts", "download", "-1", "plots/roc.png") == f"{tmp_path / 'roc.png'}\n"
    assert (tmp_path / "roc.png").read_text(encoding="utf-8") == "picture"
    assert "exists; choose another" in projrun("artifacts", "download", "one", "plots/roc.png", code=2)
    projrun("artifacts", "download", "one", "-o", "all")
    assert (
        sorted(str(file.relative_to(tmp_path / "all")) for file in (tmp_path / "all").rglob("*.*")) == paths
    )
    for name in ("we@ird.txt", "zz"):
        repository.upload(source, name)
    projrun("artifacts", "download", "one", "we@ird.txt")
    assert (tmp_path / "we@ird.txt").exists()
    assert execute(["artifacts", "list", "one", "-n", "2", "--tracking-uri", projrun.uri]) == 0
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), err) == (3, "the first 2; more with --limit\n")
    assert "got unexpected extra argument (-1)" in projrun("runs", "show", "one", "-1", code=2)
    projrun("artifacts", "download", f"runs:/{run.run_id}/missing", code=3)
    assert not (tmp_path / "missing").exists()


def test_files_of_a_model(projrun: Command, store: SqlStore, tmp_path: Path) -> None:
    run = new_run(store, "one", 1)
    (tmp_path / "MLmodel").write_text("flavors: {}", encoding="utf-8")
    store.artifacts(run.artifact_uri).upload(tmp_path / "MLmodel", "model/MLmodel")
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model("wine")
    registry.create_model_version("wine", source=f"{run.artifact_uri}/model", run_id=run.run_id)
    registry.set_registered_model_alias("wine", "champion", "1")
    listed = projrun.document("artifacts", "list", "models:/wine@champion")["artifacts"]
    assert [Path(file["path"]).name for file in listed] == ["MLmodel"]
    projrun("artifacts", "download", "models:/wine/1", "-o", "here")
    assert (tmp_path / "here" / "MLmodel").exists()


def test_opening_a_file(
    projrun: Command, store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(store, "one", 1)
    for name in ("roc.png", "start.desktop"):
        (tmp_path / name).write_text("picture", encoding="utf-8")
        store.artifacts(run.artifact_uri).upload(tmp_path / name, name)
    assert "might be programs" in projrun("artifacts", "open", "one", "start.desktop", code=2)
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("xdg-open", "open"):
        (folder / program).write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/opened\n', encoding="utf-8")
        (folder / program).chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    projrun("artifacts", "open", "one", "roc.png")
    assert (tmp_path / "opened").read_text(encoding="utf-8") == "picture"


def test_datasets_and_models_that_a_run_used(projrun: Command, store: SqlStore) -> None:
    run = new_run(store, "one", 1)
    dataset = Dataset("wine", "abc", "local", "{}", tags=(Tag("mlflow.data.context", "training"),))
    part_of(store, Inputs).log_inputs(run.run_id, [dataset])
    assert projrun.document("runs", "show", "one")["datasets"] == [
        {"name": "wine", "digest": "abc", "context": "training", "source_type": "local", "source": "{}"}
    ]
    assert "wine (abc) for training" in projrun("runs", "show", "one")


def test_several_experiments(projrun: Command, store: SqlStore) -> None:
    runs = [new_run(store, name, 1, experiment=store.create_experiment(name)) for name in "abc"]
    asked = ("runs", "list", "--experiment-name", "a", "--experiment-name=b")
    assert {run["run_id"] for run in projrun.document(*asked)["runs"]} == {run.run_id for run in runs[:2]}
    assert "experiment 'x' not found" in projrun(*asked, "--experiment-name", "x", code=2)


def test_children_are_under_their_parents(store: SqlStore) -> None:
    parent = new_run(store, "parent", 1)
    child = new_run(store, "child", 2, parent=parent.run_id)
    other = new_run(store, "other", 3)
    grandchild = new_run(store, "grandchild", 4, parent=child.run_id)
    lost = new_run(store, "lost", 5, parent="f" * 32)
    ends = [new_run(store, "circle", 6)]
    ends.append(new_run(store, "circle", 7, parent=ends[0].run_id))
    store.set_tag(ends[0].run_id, Tag("mlflow.parentRunId", ends[1].run_id))
    found = _under_parents(
        [store.get_run(one.run_id) for one in (lost, *ends, grandchild, other, child, parent)]
    )
    assert [(run.run_name, depth) for run, depth in found] == [
        ("lost", 0), ("other", 0), ("parent", 0), ("child", 1), ("grandchild", 2), ("circle", 0), ("circle", 1),
    ]  # fmt: skip


def test_csv_is_read_again(projrun: Command, store: SqlStore) -> None:
    new_run(store, 'a "name", with\na newline', 1, rmse=1 / 3)
    (row,) = csv.DictReader(io.StringIO(projrun("runs", "list", "--csv")))
    assert (row["name"], row["metrics.rmse"], row["params.alpha"]) == (
        'a "name", with\na newline',
        repr(1 / 3),
        "0.1",
    )


@pytest.mark.processes
def test_a_run_with_tags_and_a_description(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", "entry_points: {main: {command: 'true'}}\n")
    environ = {"PROJRUN_HOME": str(tmp_path / "home"), "PROJRUN_ENV_MANAGER": "local"}
    words = ("run", project, "--tag", "team=red", "--tag=note=a=b", "--description", "first try")
    done = run_projrun(*words, "--json", environ=environ).check()
    shown = run_projrun("runs", "show", json.loads(done.stdout)["run_id"], "--json", environ=environ).check()
    tags = json.loads(shown.stdout)["tags"]
    assert (tags["team"], tags["note"], tags["mlflow.note.content"]) == ("red", "a=b", "first try")
    refused = run_projrun("run", project, "--tag", "team", environ=environ)
    assert (refused.returncode, "--tag: 'team' is not a tag" in refused.stderr) == (2, True)
