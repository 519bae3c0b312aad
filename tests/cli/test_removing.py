"""`projrun runs delete --permanently` and `projrun artifacts delete`: what cannot be undone is asked for or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cli.execution import execute
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Run
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from tests.support.terminals import on_a_terminal


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """The embedded store."""
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path))
    with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
        yield store


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


class Command:
    """projrun, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        """What it printed."""
        self._capsys.readouterr()
        done = execute(words)
        out, err = self._capsys.readouterr()
        assert done == code, out + err
        return out if code == 0 else err


def new_run(store: SqlStore, name: str, *files: str, finished: bool = True) -> Run:
    """A run with artifacts."""
    run = store.create_run("0", run_name=name, start_time=1)
    for file in files:
        place = folder(store, run) / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name, encoding="utf-8")
    return store.update_run(run.run_id, status="FINISHED", end_time=2) if finished else run


def folder(store: SqlStore, run: Run) -> Path:
    return store.artifact_directory(run.artifact_uri)


def names(store: SqlStore) -> set[str]:
    return {run.run_name for run in store.search_runs(["0"], view_type="ALL").runs}


def test_a_run_is_removed_with_its_artifacts(store: SqlStore, command: Command) -> None:
    kept, gone, deleted = (new_run(store, name, "file") for name in ("kept", "gone", "deleted"))
    part_of(store, LifeCycle).delete_run(deleted.run_id)
    words = ("runs", "delete", "--permanently", "--yes", gone.run_id[:12], deleted.run_id)
    assert command(*words).splitlines() == [
        f"removed run gone ({gone.run_id})", f"removed run deleted ({deleted.run_id})",
    ]  # fmt: skip
    assert names(store) == {"kept"}
    assert not folder(store, gone).parent.exists()
    assert (folder(store, kept) / "file").exists()
    assert json.loads(command("runs", "delete", kept.run_id, "--json")) == {
        "deleted": [{"run_id": kept.run_id, "run_name": "kept"}]
    }
    assert json.loads(command("runs", "restore", kept.run_id, "--json")) == {
        "restored": [{"run_id": kept.run_id, "run_name": "kept"}]
    }


def test_what_cannot_be_undone_is_refused_where_nobody_can_be_asked(
    store: SqlStore, command: Command
) -> None:
    run = new_run(store, "kept", "file")
    assert command("runs", "delete", "--permanently", run.run_id, code=2) == (
        "projrun: error: nothing was removed: there is no way back; say so with --yes\n"
    )
    assert command("artifacts", "delete", run.run_id, "file", code=2) == (
        "projrun: error: nothing was deleted: there is no way back; say so with --yes\n"
    )
    assert store.get_run(run.run_id).lifecycle_stage == "active"
    assert (folder(store, run) / "file").exists()


def test_a_running_run_is_not_removed(store: SqlStore, command: Command) -> None:
    done, running = new_run(store, "done"), new_run(store, "running", finished=False)
    words = ("runs", "delete", "--permanently", "--yes", done.run_id, running.run_id)
    assert f"run running ({running.run_id}) is RUNNING; `projrun cancel {running.run_id}`" in command(
        *words, code=2
    )
    assert names(store) == {"done", "running"}


@pytest.mark.parametrize("place", ["embedded", "server"])
def test_artifacts_are_deleted_wherever_they_are(
    store: SqlStore, command: Command, tmp_path: Path, place: str
) -> None:
    run = new_run(store, "trained", "model/data.bin", "model/MLmodel", "checkpoints/1.bin", "log.txt")
    with Endpoint.open(lambda: SqlStore.open(tmp_path / "projrun.db")) as endpoint:
        chosen = ("--tracking-uri", endpoint.uri) if place == "server" else ()
        paths = ("checkpoints/", "checkpoints/1.bin", "model/data.bin", "./model/data.bin")
        words = ("artifacts", "delete", run.run_id[:12], *paths, "--yes", *chosen)
        assert json.loads(command(*words, "--json")) == {
            "run_id": run.run_id, "deleted": ["checkpoints", "model/data.bin"],
        }  # fmt: skip
        refused = command(
            "artifacts", "delete", "latest", "model/MLmodell", "log.txt", "--yes", *chosen, code=2
        )
        assert "no artifact 'model/MLmodell'; did you mean 'model/MLmodel'? there: model/MLmodel\n" in refused
        assert "Invalid path '../x'" in command(
            "artifacts", "delete", "latest", "../x", "--yes", *chosen, code=2
        )
        if place == "server":
            words = ("runs", "delete", "--permanently", "--yes", run.run_id, *chosen)
            assert "is a server, which removes nothing for good; without --permanently" in command(
                *words, code=2
            )
    files = sorted(path.name for path in folder(store, run).rglob("*") if path.is_file())
    assert files == ["MLmodel", "log.txt"]


@pytest.mark.processes
def test_on_a_terminal_it_asks(store: SqlStore, tmp_path: Path) -> None:
    run = new_run(store, "gone", "file")
    refused = on_a_terminal("artifacts", "delete", "latest", "file", home=tmp_path, typed="n\n")
    assert f"Delete file of run gone ({run.run_id}) for good? [y/N]: " in refused
    assert (folder(store, run) / "file").exists()
    words = ("runs", "delete", "latest", "--permanently")
    assert f"Remove 1 run for good, with all artifacts: gone ({run.run_id})? [y/N]: " in on_a_terminal(
        *words, home=tmp_path, typed="n\n"
    )
    assert names(store) == {"gone"}
    assert "removed run gone" in on_a_terminal(*words, home=tmp_path, typed="y\n")
    assert names(store) == set()
