"""Runs by the beginnings of their ids."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.directories import Directories
from projrun.errors import RequestError
from projrun.running.record import lost
from projrun.running.record.lookup import find_run, opened_store
from projrun.settings import Settings
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(new_store(tmp_path / "projrun.db"), warn=print)
    yield opened
    opened.close()


def test_a_whole_id_and_its_beginning(store: SqlStore) -> None:
    run = store.create_run("0", start_time=1)
    assert find_run(store, run.run_id).run_id == find_run(store, run.run_id[:4]).run_id == run.run_id


def test_a_beginning_of_more_than_one(store: SqlStore) -> None:
    runs = [store.create_run("0", start_time=1) for _ in range(17)]
    beginnings = [run.run_id[0] for run in runs]
    twice = next(one for one in beginnings if beginnings.count(one) > 1)
    with pytest.raises(RequestError, match="is ambiguous") as raised:
        find_run(store, twice)
    assert "one of: " in raised.value.hint


@pytest.mark.parametrize("text", ["zz", "", "%", "' OR 1", "é"])
def test_what_is_no_id(store: SqlStore, text: str) -> None:
    store.create_run("0", start_time=1)
    with pytest.raises(RequestError, match="has no run"):
        find_run(store, text)


def test_the_latest_is_the_one_that_started_last(store: SqlStore) -> None:
    with pytest.raises(RequestError, match="has no run yet"):
        find_run(store, "latest")
    store.create_run("0", start_time=3)
    latest = store.create_run(store.create_experiment("other"), start_time=5)
    store.create_run("0", start_time=4)
    assert find_run(store, "latest").run_id == latest.run_id


def test_a_slow_server_holds_up_no_command_for_what_others_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost, "_QUIETLY", 0.3)
    directories = Directories.locate({"PROJRUN_HOME": str(tmp_path)})
    with socket.create_server(("127.0.0.1", 0)) as listener:  # it takes requests and never answers
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
        Lease(directories.active / "r1", Mark("r1", uri)).release(keep=True)
        settings = Settings({"tracking-uri": uri}, {}, directories.config)
        said: list[str] = []
        begin = time.monotonic()
        with opened_store(settings, directories, {}, tmp_path, said.append):
            assert time.monotonic() - begin < 10  # a call has 30 s
    assert said == ["records of runs wait for delivery to this tracking server: `projrun sync`"]
