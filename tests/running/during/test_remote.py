"""What the record of a run says while its command runs: a real store, the pauses shortened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projrun.errors import TrackingError
from projrun.running.during import remote
from projrun.running.during.remote import CANCELLED, DELETED, RemoteControl
from projrun.running.record.reaping import last_heartbeat
from projrun.running.record.recorder import now
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.statuses import RunStatus
from tests.execution.supervision.support import eventually


class Watched:
    """A run in a store, and what its remote control did."""

    def __init__(self, database: Path, opened: Callable[[], RunStore]) -> None:
        self.store = SqlStore.open(database)
        self.run_id = self.store.create_run("0", start_time=1).run_id
        self.over = threading.Event()
        self.reasons: list[str] = []
        self.control = RemoteControl(opened, self.run_id, self.over, self.reasons.append)
        self.thread = threading.Thread(target=self.control.run, args=[time.monotonic()])

    def until_over(self, seconds: float) -> None:
        """For at most so long."""
        self.thread.join(seconds)
        self.over.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(remote, "_ASK_EVERY", 0.01)
    one = Watched(tmp_path / "projrun.db", lambda: SqlStore.open(tmp_path / "projrun.db"))
    one.thread.start()
    yield one
    one.until_over(0)
    one.store.close()


def test_a_run_that_is_set_to_killed_is_cancelled_once(watched: Watched) -> None:
    time.sleep(0.03)
    assert watched.reasons == []
    watched.store.update_run(watched.run_id, status="KILLED", end_time=2)
    watched.until_over(10)
    assert watched.reasons == [CANCELLED]


def test_a_run_that_is_deleted_is_cancelled(tmp_path: Path) -> None:
    class Deleting(SqlStore):
        """As a server has it: the embedded store deletes no runs."""

        def get_run(self, run_id: str) -> Run:
            return super().get_run(run_id)._replace(lifecycle_stage="deleted")

    one = Watched(tmp_path / "projrun.db", lambda: Deleting.open(tmp_path / "projrun.db"))
    one.thread.start()
    one.until_over(10)
    one.store.close()
    assert one.reasons == [DELETED]


@pytest.mark.parametrize("status", ["FAILED", "FINISHED"])
def test_what_mlflows_client_sets_in_the_script_cancels_nothing(watched: Watched, status: RunStatus) -> None:
    watched.store.update_run(watched.run_id, status=status, end_time=2)
    watched.until_over(0.05)
    assert watched.reasons == []


def test_heartbeats(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.until_over(0.05)
    assert last_heartbeat(watched.store.get_run(watched.run_id)) is None
    monkeypatch.setattr(remote, "BEAT_EVERY", 0.02)
    watched.over.clear()
    watched.thread = threading.Thread(target=watched.control.run, args=[time.monotonic()])
    watched.thread.start()
    eventually(lambda: last_heartbeat(watched.store.get_run(watched.run_id)), "a heartbeat")
    watched.until_over(0)
    beat = last_heartbeat(watched.store.get_run(watched.run_id))
    assert beat is not None
    assert 0 <= now() - beat < 10_000


def test_a_store_that_fails_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_ASK_EVERY", 0.01)

    class Failing(SqlStore):
        asked = 0

        def get_run(self, run_id: str) -> Run:
            Failing.asked += 1
            if Failing.asked < 3:
                raise TrackingError("out of reach")
            return super().get_run(run_id)

    one = Watched(tmp_path / "projrun.db", lambda: Failing.open(tmp_path / "projrun.db"))
    one.store.update_run(one.run_id, status="KILLED", end_time=2)
    one.thread.start()
    one.until_over(10)
    one.store.close()
    assert (Failing.asked, one.reasons) == (3, [CANCELLED])
