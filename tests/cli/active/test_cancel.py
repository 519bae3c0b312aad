"""Whom `projrun cancel` sends a signal: a runner's process, never a program in which a run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.cli.active import cancel
from projrun.cli.execution import execute
from projrun.directories import Directories
from projrun.tracking.entities import Tag
from projrun.tracking.sql.store import SqlStore

RUN_ID = "0123456789abcdef" * 2


@pytest.fixture
def lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lease]:
    """Of a run of this process, as the Python API records it, in the embedded store."""
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path))
    directories = Directories.locate(os.environ)
    with closing(SqlStore.open(directories.database)) as store:
        store.create_run("0", start_time=1, tags=[Tag("projrun.version", "1")], origin_id=RUN_ID)
    name = f"sqlite:///{directories.database}"
    host = os.uname().nodename
    lease = Lease(directories.active / RUN_ID, Mark(RUN_ID, name, origin_id=RUN_ID, host=host))
    yield lease
    lease.release()


def test_a_program_in_which_a_run_goes_on_gets_no_signal(
    lease: Lease, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cancel, "_HANDED_OVER", 0.0)
    assert execute(["cancel", RUN_ID]) == 0
    assert "is set to KILLED; its runner ends it when it asks next" in capsys.readouterr().err
    with closing(SqlStore.open(Directories.locate(os.environ).database)) as store:
        assert store.get_run(RUN_ID).status == "KILLED"


def test_a_run_that_gets_a_process_of_its_own_is_ended_there(
    lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancel, "_HANDED_OVER", 60.0)
    with subprocess.Popen(["sleep", "60"]) as runner:

        def hand_over() -> None:
            time.sleep(0.1)
            lease.note(lease.mark._replace(pid=runner.pid))
            runner.wait()
            lease.note(lease.mark._replace(status="KILLED"))
            lease.release(keep=True)

        thread = Thread(target=hand_over)
        thread.start()
        assert execute(["cancel", RUN_ID[:4]]) == 0
        thread.join()
    assert runner.returncode == -signal.SIGTERM
