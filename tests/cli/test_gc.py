"""`projrun gc`: what was deleted is removed for good, with its artifacts, and nothing else."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.cli.execution import execute
from projrun.tracking.entities import Run
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from tests.support.terminals import on_a_terminal


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """The embedded store."""
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path))
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        yield store


class Command:
    """`projrun gc`, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        """What it printed."""
        self._capsys.readouterr()
        done = execute(["gc", *words])
        out, err = self._capsys.readouterr()
        assert done == code, out + err
        return re.sub(r", \d+ kB$", "", out + err, flags=re.M)  # file systems differ


@pytest.fixture
def gc(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def new_run(store: SqlStore, name: str, experiment: str = "0") -> Run:
    """A run with an artifact."""
    run = store.create_run(experiment, run_name=name, start_time=1)
    (store.artifact_directory(run.artifact_uri) / "file").write_text(name, encoding="utf-8")
    return run


def folder(store: SqlStore, uri: str) -> Path:
    return store.artifact_directory(uri)


def age(store: SqlStore, table: str, days: float) -> None:
    """What is deleted was deleted so long ago."""
    with closing(sqlite3.connect(store.uri.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute(f"UPDATE {table} SET deleted_time = deleted_time - ?", (int(days * 86_400_000),))


def test_a_run_that_goes_on_is_kept_with_its_experiment(store: SqlStore, gc: Command, tmp_path: Path) -> None:
    experiment = store.create_experiment("wine")
    run, gone = new_run(store, "going", experiment), new_run(store, "gone", experiment)
    part_of(store, LifeCycle).delete_run(run.run_id)
    part_of(store, LifeCycle).delete_experiment(experiment)
    lease = Lease(tmp_path / "active" / run.run_id, Mark(run.run_id, store.uri))
    try:
        said = gc()
    finally:
        lease.release()
    assert f"run going ({run.run_id}) goes on, and is kept: `projrun cancel {run.run_id}` ends it" in said
    assert f"removed run gone ({gone.run_id})" in said
    assert store.get_run(run.run_id).run_name == "going"
    assert gc().endswith("1 run and 1 experiment removed\n")


def test_deleted_runs_go_with_their_artifacts(store: SqlStore, gc: Command) -> None:
    kept, lost = new_run(store, "kept"), new_run(store, "lost")
    part_of(store, LifeCycle).delete_run(lost.run_id)
    table, row, last = gc("--dry-run").splitlines()
    assert table.split() == ["KIND", "SIZE", "WHY", "WHAT"]
    kind, size, why, what = row.split("\t")
    assert (kind, why, what) == ("run", "deleted just now", f"lost ({lost.run_id})")
    assert int(size) > 0
    assert last == "1 run would be removed"
    assert folder(store, lost.artifact_uri).exists()
    assert gc() == f"removed run lost ({lost.run_id})\n1 run removed\n"
    assert not folder(store, lost.artifact_uri).parent.exists()
    assert (folder(store, kept.artifact_uri) / "file").read_text(encoding="utf-8") == "kept"
    assert gc() == "nothing removed\n"
    assert [run.run_id for run in store.search_runs(["0"], view_type="ALL").runs] == [kept.run_id]


def test_only_what_was_deleted_long_ago(store: SqlStore, gc: Command) -> None:
    cycle = part_of(store, LifeCycle)
    old = new_run(store, "old")
    cycle.delete_run(old.run_id)
    age(store, "runs", 30)
    cycle.delete_run(new_run(store, "new").run_id)
    assert gc("--older-than", "30d1h") == "nothing removed\n"
    assert gc("--older-than", "29d23h") == f"removed run old ({old.run_id})\n1 run removed\n"


def test_an_experiment_goes_with_all_that_is_in_it(store: SqlStore, gc: Command) -> None:
    experiment = store.create_experiment("gone")
    run = new_run(store, "in it", experiment)
    model = part_of(store, LoggedModels).create_logged_model(experiment, name="model")
    folder(store, model.artifact_uri).mkdir(parents=True)
    part_of(store, LifeCycle).delete_experiment(experiment)
    (folder(store, f"mlflow-artifacts:/{experiment}") / "left.txt").touch()
    document = json.loads(gc("--json"))
    assert [
        (each["kind"], each["id"], each["name"], each["experiment_id"]) for each in document["removed"]
    ] == [
        ("run", run.run_id, "in it", experiment),
        ("logged_model", model.model_id, "model", experiment),
        ("experiment", experiment, "gone", experiment),
    ]
    assert (document["dry_run"], document["kept"]) == (False, [])
    assert all(each["deleted_time"] > 0 for each in document["removed"])
    assert not folder(store, f"mlflow-artifacts:/{experiment}").exists()
    assert store.get_experiment_by_name("gone") is None


def test_what_is_named_goes_alone(store: SqlStore, gc: Command) -> None:
    cycle = part_of(store, LifeCycle)
    runs = [new_run(store, name) for name in ("a", "b", "c")]
    experiment = store.create_experiment("other")
    inside = new_run(store, "inside", experiment)
    for run in runs:
        cycle.delete_run(run.run_id)
    cycle.delete_experiment(experiment)
    assert "4 runs and 1 experiment would be removed" in gc("--dry-run")
    words = ("--run-ids", f"{runs[0].run_id},{runs[2].run_id}", "--dry-run", "--json")
    assert {each["name"] for each in json.loads(gc(*words))["removed"]} == {"a", "c"}
    words = ("--experiment-ids", experiment, "--run-ids", runs[1].run_id)
    assert gc(*words).endswith("2 runs and 1 experiment removed\n")
    assert inside.run_id not in gc("--dry-run")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--run-ids", "0123"], "run 0123 is not deleted"),
        (["--experiment-ids", "0"], "experiment 0 is not deleted"),
        (["--logged-model-ids", "m-1"], "logged model m-1 is not deleted"),
        (["--older-than", "much"], "--older-than: 'much' is not a duration"),
        (
            ["--tracking-uri", "http://ml.example.org"],
            "http://ml.example.org is a server, which removes nothing",
        ),
        (["--backend-store-uri", "http://ml.example.org"], "is a server, which removes nothing for good"),
        (["--artifacts-destination", "ftp://host/x"], "artifacts cannot be kept at ftp://host/x"),
    ],
)
def test_a_mistake_removes_nothing(store: SqlStore, gc: Command, words: list[str], message: str) -> None:
    run = new_run(store, "deleted")
    part_of(store, LifeCycle).delete_run(run.run_id)
    assert message in gc(*words, code=2)
    assert store.get_run(run.run_id).lifecycle_stage == "deleted"


def test_what_is_named_and_too_young_is_a_mistake(store: SqlStore, gc: Command) -> None:
    run = new_run(store, "young")
    part_of(store, LifeCycle).delete_run(run.run_id)
    words = ("--run-ids", run.run_id, "--older-than", "1d")
    assert f"run young ({run.run_id}) was deleted later than --older-than says" in gc(*words, code=2)


def test_artifacts_of_a_server_are_where_it_keeps_them(store: SqlStore, gc: Command, tmp_path: Path) -> None:
    store.artifact_root = tmp_path / "elsewhere"
    run = new_run(store, "served")
    part_of(store, LifeCycle).delete_run(run.run_id)
    assert gc("--artifacts-destination", str(store.artifact_root)).endswith("1 run removed\n")
    assert not folder(store, run.artifact_uri).exists()


def test_artifacts_out_of_reach_stay_and_are_named(store: SqlStore, gc: Command) -> None:
    experiment = store.create_experiment("far", "ftp://host/far")
    run = store.create_run(experiment, run_name="far", start_time=1)
    part_of(store, LifeCycle).delete_run(run.run_id)
    told = gc()
    assert f"run far ({run.run_id}): its artifacts stay where they are" in told
    assert "ftp://host/far" in told
    assert told.endswith("1 run removed\n")


def test_a_run_whose_artifacts_cannot_be_removed_stays(store: SqlStore, gc: Command) -> None:
    experiment = store.create_experiment("of another server", "mlflow-artifacts://ml.example.org/x")
    stuck, loose = store.create_run(experiment, run_name="stuck", start_time=1), new_run(store, "loose")
    for run in (stuck, loose):
        part_of(store, LifeCycle).delete_run(run.run_id)
    told = gc(code=5)
    assert f"could not remove run stuck ({stuck.run_id})" in told
    assert "1 run removed" in told
    assert "1 run could not be removed" in told
    assert [run.run_id for run in store.search_runs(["0", experiment], view_type="ALL").runs] == [
        stuck.run_id
    ]


def test_a_link_is_removed_and_what_it_leads_to_stays(store: SqlStore, gc: Command, tmp_path: Path) -> None:
    run = new_run(store, "linked")
    part_of(store, LifeCycle).delete_run(run.run_id)
    own = tmp_path / "own"
    own.mkdir()
    (own / "file").touch()
    place = folder(store, run.artifact_uri)
    (place / "to a folder").symlink_to(own, target_is_directory=True)
    gc()
    assert not place.exists()
    assert (own / "file").exists()


@pytest.mark.processes
def test_on_a_terminal_it_asks(store: SqlStore, tmp_path: Path) -> None:
    run = new_run(store, "deleted")
    part_of(store, LifeCycle).delete_run(run.run_id)
    refused = on_a_terminal("gc", home=tmp_path, typed="n\n")
    assert f"deleted just now  deleted ({run.run_id})" in refused
    assert "Remove 1 run for good, with all artifacts? [y/N]: " in refused
    assert "projrun: error: nothing was removed" in refused
    assert store.get_run(run.run_id).lifecycle_stage == "deleted"
    assert on_a_terminal("gc", home=tmp_path, errors=tmp_path / "errors") == ""
    assert "say so with --yes" in (tmp_path / "errors").read_text()
    assert "would be removed" in on_a_terminal("gc", "--dry-run", home=tmp_path)
    asked = on_a_terminal("gc", home=tmp_path, typed="n\n", output=tmp_path / "printed")
    assert "with all artifacts? [y/N]:" in asked  # older versions of click write the space to stdout
    assert "1 run removed" in on_a_terminal("gc", home=tmp_path, typed="y\n")
    assert store.search_runs(["0"], view_type="ALL").runs == ()
