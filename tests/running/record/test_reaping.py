"""Runs that look alive and are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.errors import RequestError
from projrun.running.record.reaping import HEARTBEAT, last_heartbeat, named_run, silent_runs
from projrun.tracking.entities import Run, Tag
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store

NOW, LIMIT = 1_000_000, 1_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(new_store(tmp_path / "projrun.db"), warn=print)
    yield opened
    opened.close()


def make(store: SqlStore, heartbeat: str | None, experiment: str = "0") -> Run:
    run = store.create_run(experiment, start_time=1)
    if heartbeat is not None:
        store.set_tag(run.run_id, Tag(HEARTBEAT, heartbeat))
    return store.get_run(run.run_id)


def test_only_running_runs_with_an_old_heartbeat(store: SqlStore, tmp_path: Path) -> None:
    silent = [make(store, "998999"), make(store, "5", store.create_experiment("other"))]
    make(store, None)
    make(store, "999000")
    make(store, "nonsense")
    ended = make(store, "5")
    store.update_run(ended.run_id, status="FINISHED", end_time=6)
    found = list(silent_runs(store, tmp_path / "active", NOW, LIMIT))
    assert {one.run.run_id for one in found} == {run.run_id for run in silent}
    ends = {one.run.run_id: one.end for one in found}
    assert (ends[silent[1].run_id].status, ends[silent[1].run_id].end_time) == ("KILLED", 5)
    assert ends[silent[1].run_id].reason.startswith("no heartbeat since 19")


def test_a_runner_that_lives_here_is_alive_whatever_the_store_says(store: SqlStore, tmp_path: Path) -> None:
    run = make(store, "5")
    lease = Lease(tmp_path / "active" / "x", Mark(run.run_id, "store"))
    assert list(silent_runs(store, tmp_path / "active", NOW, LIMIT)) == []
    with pytest.raises(RequestError, match="is alive"):
        named_run(run, tmp_path / "active", NOW, LIMIT)
    lease.release()
    assert len(list(silent_runs(store, tmp_path / "active", NOW, LIMIT))) == 1


def test_a_run_that_is_named_needs_no_heartbeat(store: SqlStore, tmp_path: Path) -> None:
    silent = named_run(make(store, None), tmp_path, NOW, LIMIT)
    assert silent is not None
    assert (silent.end.reason, silent.end.end_time) == ("ended by `projrun runs reap`: no heartbeat", NOW)


def test_a_run_that_is_named_and_alive_or_ended(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is alive"):
        named_run(make(store, str(NOW - 1)), tmp_path, NOW, LIMIT)
    run = make(store, "5")
    assert named_run(store.update_run(run.run_id, status="FAILED", end_time=9), tmp_path, NOW, LIMIT) is None


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "٣", "9" * 16])
def test_what_is_no_heartbeat(store: SqlStore, text: str) -> None:
    assert last_heartbeat(make(store, text)) is None
