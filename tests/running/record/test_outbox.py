"""What a store did not take waits in the run's folder; the next command delivers it, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.cache.lost_leases import take_over
from projrun.directories import Directories
from projrun.errors import InvalidValueError, TrackingError
from projrun.journal.journal import Journal
from projrun.running.record.delivery import deliver_log, release
from projrun.running.record.lookup import find_run
from projrun.running.record.lost import Settled, end_lost_run, end_lost_runs
from projrun.running.record.recorder import LOG, RunEnd, RunRecorder
from projrun.running.record.waiting import Quiet
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore
from tests.journal.stores import Failing, ForeignStore
from tests.support.stores import new_store

STORE = "the store"
ORIGIN_ID = "5" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories.locate({"PROJRUN_HOME": str(tmp_path / "home")})


class Outage:
    """A run whose store is away while it is recorded."""

    def __init__(self, store: SqlStore, directories: Directories, *, continued: bool = False) -> None:
        self.store = store
        self.directories = directories
        self.warnings: list[str] = []
        self.run = store.create_run("0", run_name="unlucky", start_time=1)
        self.lease = Lease(
            directories.active / ORIGIN_ID,
            Mark(self.run.run_id, STORE, origin_id=ORIGIN_ID, experiment_id="0", continued=continued),
        )
        self.recorder = RunRecorder(self.away(), self.run, self.warnings.append)
        self.recorder.outbox = self.lease.folder
        if continued:
            self.recorder.before = self.run

    def away(self) -> RunStore:
        """The store, while every call fails."""
        return cast("RunStore", Failing(self.store, iter(["before"] * 100)))

    def record(self, folder: Path) -> None:
        """All that a runner records after the start."""
        (folder / "lock.txt").write_text("pinned\n")
        self.recorder.tag({"projrun.later": "yes"})
        self.recorder.artifact(folder / "lock.txt", "environment/lock.txt")
        (folder / "lock.txt").unlink()
        self.lease.log_file.write_text("said\n")

    def end(self) -> None:
        """The command ended with 3."""
        self.lease.note(
            self.lease.mark._replace(status="FAILED", reason="exit code 3", exit_code=3, end_time=9)
        )
        deliver_log(self.lease, self.recorder, self.directories.logs, self.warnings.append)
        delivered = self.recorder.finish(RunEnd("FAILED", 3, "exit code 3", 9))
        release(self.lease, self.recorder, delivered=delivered)

    def check(self, log: str = LOG) -> Run:
        """All of it is in the store, and nothing waits."""
        run = self.store.get_run(self.run.run_id)
        assert (run.status, run.tag("projrun.later"), run.tag("projrun.exit_code")) == ("FAILED", "yes", "3")
        folder = self.store.artifacts(run.artifact_uri).folder
        assert folder is not None
        assert (folder / log).read_text() == "said\n"
        assert list(self.directories.active.iterdir()) == []
        return run


@pytest.fixture
def outage(store: SqlStore, directories: Directories, monkeypatch: pytest.MonkeyPatch) -> Outage:
    monkeypatch.setattr("projrun.running.record.recorder._DELIVERY_PAUSES", (0.0,))
    return Outage(store, directories)


def test_the_next_command_delivers_all_of_it(outage: Outage, tmp_path: Path) -> None:
    outage.record(tmp_path)
    outage.end()
    assert all(
        text.endswith("; `projrun sync` delivers it later") for text in outage.warnings if "kept" not in text
    )
    said: list[str] = []
    end_lost_runs(outage.directories, STORE, outage.store, said.append)
    run = outage.check()
    assert said == []
    files = outage.store.artifacts(run.artifact_uri)
    assert [file.path for file in files.list("environment")] == ["environment/lock.txt"]


def test_the_logs_of_all_attempts_are_delivered(outage: Outage, tmp_path: Path) -> None:
    logs = outage.directories.logs
    for path in ("logs/output.1.log", "logs/output.2.log"):
        outage.lease.log_file.write_text(f"{path}\n")
        deliver_log(outage.lease, outage.recorder, logs, outage.warnings.append, path)
    outage.record(tmp_path)
    outage.end()
    end_lost_runs(outage.directories, STORE, outage.store, outage.warnings.append)
    folder = outage.store.artifacts(outage.check().artifact_uri).folder
    assert folder is not None
    assert {file.name: file.read_text() for file in (folder / "logs").iterdir()} == {
        "output.1.log": "logs/output.1.log\n",
        "output.2.log": "logs/output.2.log\n",
        "output.log": "said\n",
    }


def test_only_the_log_waits_and_the_end_is_not_recorded_twice(outage: Outage, tmp_path: Path) -> None:
    outage.record(tmp_path)
    outage.lease.note(outage.lease.mark._replace(status="FAILED", exit_code=3, reason="exit code 3"))
    deliver_log(outage.lease, outage.recorder, outage.directories.logs, outage.warnings.append)
    recorder = RunRecorder(outage.store, outage.run, outage.warnings.append)
    assert recorder.finish(RunEnd("FAILED", 3, "exit code 3", 9))
    release(outage.lease, outage.recorder, delivered=True)
    changed = outage.store.update_run(outage.run.run_id, end_time=77)
    end_lost_runs(outage.directories, STORE, outage.store, outage.warnings.append)
    assert outage.check().end_time == changed.end_time


def test_while_the_store_is_away_nothing_is_lost_and_one_try_is_made(outage: Outage, tmp_path: Path) -> None:
    outage.record(tmp_path)
    outage.end()
    second = Lease(outage.directories.active / ("6" * 32), Mark("x" * 32, STORE, origin_id="6" * 32))
    second.release(keep=True)
    calls = iter(["before"] * 3)
    end_lost_runs(outage.directories, STORE, cast("RunStore", Failing(outage.store, calls)), pytest.fail)
    assert len(list(calls)) == 2  # after the first run, the second is not asked about
    second.folder.joinpath("run.json").unlink()
    second.folder.rmdir()
    end_lost_runs(outage.directories, STORE, outage.store, outage.warnings.append)
    outage.check()


def test_too_little_time_leaves_it_for_the_next_command(outage: Outage, tmp_path: Path) -> None:
    outage.record(tmp_path)
    outage.end()
    lease = take_over(outage.lease.folder)
    assert lease is not None
    settled = end_lost_run(lease, outage.directories.logs, outage.store, pytest.fail, Quiet(time.monotonic()))
    assert settled.reason == "there was not enough time"
    assert outage.store.get_run(outage.run.run_id).tag("projrun.later") is None
    end_lost_runs(outage.directories, STORE, outage.store, pytest.fail)
    outage.check()


def test_large_files_wait_for_sync(outage: Outage, tmp_path: Path) -> None:
    outage.record(tmp_path)
    outage.end()
    for quiet, reason in ((Quiet(time.monotonic() + 60, largest=6), "large files wait"), (None, "")):
        lease = take_over(outage.lease.folder)
        assert lease is not None
        settled = end_lost_run(lease, outage.directories.logs, outage.store, pytest.fail, quiet)
        assert settled.reason == reason
    outage.check()


def test_files_of_a_continued_run_get_names_of_their_own(
    store: SqlStore, directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projrun.running.record.recorder._DELIVERY_PAUSES", (0.0,))
    outage = Outage(store, directories, continued=True)
    (tmp_path / "first").write_text("first\n")
    files = store.artifacts(outage.run.artifact_uri)
    files.upload(tmp_path / "first", LOG)
    outage.record(tmp_path)
    outage.end()
    end_lost_runs(directories, STORE, store, pytest.fail)
    outage.check("logs/output-55555555.log")
    assert files.folder is not None
    assert (files.folder / LOG).read_text() == "first\n"


def test_what_the_store_refuses_does_not_wait(outage: Outage) -> None:
    recorder = RunRecorder(outage.store, outage.run, outage.warnings.append)
    recorder.outbox = outage.lease.folder
    recorder.tag({"no/../key": "x"})
    assert isinstance(recorder.failure, InvalidValueError)
    assert not recorder.waits
    assert "projrun sync" not in outage.warnings[0]
    outage.lease.release()


def test_a_log_that_cannot_be_copied_waits_where_it_is(outage: Outage, tmp_path: Path) -> None:
    """As on a full disk: one command later there is room."""
    outage.record(tmp_path)
    journal = outage.lease.folder / "journal.db"
    for file in outage.lease.folder.glob("journal.db*"):
        file.rename(tmp_path / file.name)
    journal.mkdir()
    outage.end()
    log = outage.lease.log_file
    assert f"{LOG} cannot be kept in {outage.lease.folder}" in "".join(outage.warnings)
    assert f"the output waits in {log}" in outage.warnings
    assert (log.read_text(), list(outage.directories.logs.parent.glob("logs"))) == ("said\n", [])
    journal.rmdir()
    for file in tmp_path.glob("journal.db*"):
        file.rename(outage.lease.folder / file.name)
    end_lost_runs(outage.directories, STORE, outage.store, outage.warnings.append)
    outage.check()


def test_the_end_of_an_offline_run_waits_until_its_store_takes_it(
    store: SqlStore, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projrun.running.record.recorder._DELIVERY_PAUSES", (0.0,))
    mark = Mark(
        "", STORE, "FAILED", "exit code 3", 3, 9, origin_id=ORIGIN_ID, experiment_id="0", offline=True
    )
    lease = Lease(directories.active / ORIGIN_ID, mark)
    with Journal(lease.folder) as journal:
        journal.store.create_run("0", start_time=1, origin_id=ORIGIN_ID)
    lease.release(keep=True)

    def deliver() -> Settled:
        taken = take_over(directories.active / ORIGIN_ID)
        assert taken is not None
        return end_lost_run(taken, directories.logs, store, lambda text: None)

    with monkeypatch.context() as full:
        full.setattr(SqlStore, "update_run", raising(TrackingError("database or disk is full")))
        assert deliver().reason == "database or disk is full"
    settled = deliver()
    assert (settled.reason, store.get_run(settled.run_id).status) == ("", "FAILED")
    assert list(directories.active.iterdir()) == []


def test_an_offline_run_whose_store_is_gone_keeps_its_output(
    store: SqlStore, directories: Directories
) -> None:
    mark = Mark("", STORE, origin_id=ORIGIN_ID, experiment_id="0", offline=True)
    lease = Lease(directories.active / ORIGIN_ID, mark)
    lease.log_file.write_text("said\n")
    settled = end_lost_run(lease, directories.logs, store, lambda text: None)
    assert "journal.db has lost it" in settled.reason
    assert lease.log_file.read_text() == "said\n"


def raising(error: Exception) -> Callable[..., Run]:
    def call(*given: object, **named: object) -> Run:
        raise error

    return call


def test_a_run_is_found_by_the_id_that_it_had_before(tmp_path: Path) -> None:
    with closing(ForeignStore.at(tmp_path)) as store:
        run = store.create_run("0", start_time=1, origin_id=ORIGIN_ID)
        store.create_run("0", start_time=1, origin_id="6" * 32)
        assert find_run(store, ORIGIN_ID).run_id == find_run(store, "555").run_id == run.run_id
