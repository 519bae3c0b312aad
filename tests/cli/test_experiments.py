"""`projrun experiments`, and `projrun runs delete` and `restore`, in the embedded store and on a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.cli.execution import execute
from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(database: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(database)) as store:
        yield store


@pytest.fixture(params=["sql", "rest"])
def uri(request: pytest.FixtureRequest, store: SqlStore, database: Path) -> Iterator[str]:
    if request.param == "sql":
        yield f"sqlite:///{database}"
        return
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        yield endpoint.uri


class Command:
    """Commands against one store, in this process."""

    def __init__(self, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._uri = uri
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        """What it printed."""
        self._capsys.readouterr()
        done = execute([*words, "--tracking-uri", self._uri])
        out, err = self._capsys.readouterr()
        assert done == code, err
        return out if code == 0 else err

    def document(self, *words: str) -> Any:
        """The JSON that it printed."""
        return json.loads(self(*words, "--json"))


@pytest.fixture
def command(
    uri: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    return Command(uri, capsys)


def names(document: Any) -> list[str]:
    return [experiment["name"] for experiment in document["experiments"]]


def test_experiment_from_creation_to_restoring(command: Command, store: SqlStore) -> None:
    made = command.document("experiments", "create", "wine", "-l", "s3://bucket/wine")
    identifier = made["experiment_id"]
    assert list(made) == [
        "experiment_id", "name", "lifecycle_stage", "creation_time", "last_update_time", "artifact_location", "tags",
    ]  # fmt: skip
    assert (made["lifecycle_stage"], made["artifact_location"]) == ("active", "s3://bucket/wine")
    run = store.create_run(identifier, start_time=1)
    assert command("experiments", "rename", "wine", "red wine").split() == (
        f"renamed experiment wine (id {identifier}) to red wine".split()
    )
    assert command.document("experiments", "show", identifier)["name"] == "red wine"
    assert f"red wine (id {identifier})" in command("experiments", "show", "red wine")
    assert names(command.document("experiments", "list")) == ["red wine", "Default"]
    assert "deleted experiment red wine" in command("experiments", "delete", "red wine", identifier)
    assert names(command.document("experiments", "list")) == ["Default"]
    assert names(command.document("experiments", "list", "--deleted")) == ["red wine"]
    assert store.get_run(run.run_id).lifecycle_stage == "deleted"
    assert "is deleted already" in command("experiments", "delete", "red wine", code=2)
    command("experiments", "restore", identifier)
    assert "is active already" in command("experiments", "restore", identifier, code=2)
    assert store.get_run(run.run_id).lifecycle_stage == "active"
    assert "red wine" in command("experiments", "list", "--filter", "name LIKE 'red%'")


def test_what_is_refused_changes_nothing(command: Command, store: SqlStore) -> None:
    for name in ("one", "two"):
        store.create_experiment(name)
    assert "has no experiment 'none'" in command("experiments", "delete", "one", "none", code=2)
    assert "already exists" in command("experiments", "create", "one", code=2)
    assert "already exists" in command("experiments", "rename", "one", "two", code=2)
    assert names(command.document("experiments", "list")) == ["two", "one", "Default"]


def test_an_id_takes_precedence_over_a_name(command: Command, store: SqlStore) -> None:
    named = store.create_experiment("0")
    assert command.document("experiments", "show", "0")["name"] == "Default"
    assert command.document("experiments", "show", named)["name"] == "0"


def test_runs_are_deleted_and_restored(command: Command, store: SqlStore) -> None:
    kept, gone, more = (store.create_run("0", run_name=f"run {n}", start_time=n + 1).run_id for n in range(3))
    assert command("runs", "delete", gone[:10], more).splitlines() == [
        f"deleted run run 1 ({gone})", f"deleted run run 2 ({more})",
    ]  # fmt: skip
    assert [run["run_id"] for run in command.document("runs", "list")["runs"]] == [kept]
    assert [run["run_id"] for run in command.document("runs", "list", "--deleted")["runs"]] == [more, gone]
    assert "is deleted already" in command("runs", "delete", kept, gone, code=2)
    assert "is active already" in command("runs", "restore", kept, code=2)
    assert "has no run" in command("runs", "restore", kept[:12], code=2)
    store_experiment = store.get_run(gone).experiment_id
    command("experiments", "delete", store_experiment)
    assert "restored run run 1" in command("runs", "restore", gone[:10])
    assert store.get_run(gone).lifecycle_stage == "active"
    assert store.get_run(kept).lifecycle_stage == "deleted"
