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
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
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


def test_the_last_ones_by_their_place(store: SqlStore) -> None:
    first, second, third = (store.create_run("0", start_time=time) for time in (1, 3, 2))
    found = [find_run(store, text).run_id for text in ("latest", "-1", "-2", "-3")]
    assert found == [second.run_id, second.run_id, third.run_id, first.run_id]
    with pytest.raises(RequestError, match="has only 3 runs"):
        find_run(store, "-4")


def test_a_name_where_it_is_unique(store: SqlStore) -> None:
    run = store.create_run("0", run_name="it's calm", start_time=1)
    twice = [store.create_run("0", run_name="twice", start_time=2) for _ in range(2)]
    assert find_run(store, "it's calm").run_id == run.run_id
    with pytest.raises(RequestError, match="is ambiguous") as raised:
        find_run(store, "twice")
    assert all(one.run_id in raised.value.hint for one in twice)
    for text in ("it", "", 'it\'s "calm"', "-0", "--1"):
        with pytest.raises(RequestError, match="has no run"):
            find_run(store, text)


def test_a_whole_name_before_the_beginning_of_several_ids(store: SqlStore) -> None:
    named = store.create_run("0", run_name="a", start_time=1, origin_id="1" * 32)
    for digit in "12":
        store.create_run("0", start_time=1, origin_id="a" * 31 + digit)
    assert find_run(store, "a").run_id == named.run_id


def test_a_whole_name_before_the_beginning_of_another_runs_id(store: SqlStore) -> None:
    named = store.create_run("0", run_name="dead", start_time=1, origin_id="1" * 32)
    other = store.create_run("0", start_time=1, origin_id="dead" * 8)
    assert find_run(store, "dead").run_id == named.run_id
    assert find_run(store, "deadd").run_id == other.run_id


def test_a_place_beyond_all_lists_is_no_place(store: SqlStore) -> None:
    store.create_run("0", start_time=1)
    with pytest.raises(RequestError, match="has no run '-60000'"):
        find_run(store, "-60000")


def test_the_last_of_the_deleted_ones(store: SqlStore) -> None:
    gone, kept = (store.create_run("0", start_time=time) for time in (1, 2))
    part_of(store, LifeCycle).delete_run(gone.run_id)
    assert find_run(store, "-1").run_id == kept.run_id
    assert find_run(store, "-1", "DELETED_ONLY").run_id == gone.run_id
    part_of(store, LifeCycle).delete_run(store.create_run("0", start_time=3).run_id)
    assert find_run(store, "latest", "ALL").run_id == kept.run_id  # as in `runs list`
