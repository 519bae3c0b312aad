"""Runs whose runner died, and what the backend of their job says of it then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.directories import Directories
from projrun.running.record.delivery import deliver_log
from projrun.running.record.lost import end_lost_runs
from projrun.running.record.recorder import RunRecorder
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Run, Tag
from projrun.tracking.origin import ORIGIN
from projrun.tracking.rest.store import RestStore
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import run_projrun
from tests.support.packages import install_package
from tests.support.stores import new_store

# A backend whose jobs survive projrun: the text names a folder, in which a file says how the job ended.
SURVIVES = """\
import subprocess, time
from pathlib import Path

from projrun.errors import RequestError
from projrun.execution.protocol import UNKNOWN_EXIT_CODE, Capabilities, Outcome

class Backend:
    name = "survives"
    capabilities = Capabilities(survives_runner=True)
    def check(self, config): ...
    def submit(self, spec, config):
        script = '"$@"; echo $? > "$JOB/new"; mv "$JOB/new" "$JOB/ended"'
        words = ["sh", "-c", script, "sh", *spec.process]
        subprocess.Popen(words, cwd=spec.directory, env=spec.environ, start_new_session=True)
        return spec.environ["JOB"]
    def attach(self, ref):
        if not Path(ref).exists():
            raise RequestError("no such job")
        return Job(Path(ref))

class Job:
    def __init__(self, folder):
        self.ended = folder / "ended"
    def poll(self):
        if not self.ended.exists():
            return None
        code = int(self.ended.read_text())
        return Outcome("FAILED" if code else "FINISHED", code, code and f"exit code {code}" or "")
    def wait(self):
        (self.ended.parent / "attached").touch()
        time.sleep(600)
    def signal(self, signum): ...
    def logs(self, offset): ...
"""
STORE = "the store"
ORIGIN_ID = "0123456789abcdef" * 2


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        yield store


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories.locate({"PROJRUN_HOME": str(tmp_path / "home")})


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a job of the backend `survives`, which is installed."""
    plugin = {"projrun.backends": {"survives": "survives:Backend"}}
    monkeypatch.syspath_prepend(install_package(tmp_path / "site", "survives", SURVIVES, plugin))
    monkeypatch.delitem(sys.modules, "survives", raising=False)
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


def lost(store: SqlStore, directories: Directories, backend: str, job: str) -> Run:
    """A run whose runner died after it had submitted a job."""
    run = store.create_run("0", start_time=1)
    lease = Lease(directories.active / run.run_id, Mark(run.run_id, STORE))
    lease.note(lease.mark._replace(backend=backend, job=job))
    lease.log_file.write_text("said\n")
    lease.release(keep=True)
    return run


def ended(store: SqlStore, directories: Directories, run: Run) -> tuple[str, str | None]:
    """The run after the next command: its status and the reason."""
    end_lost_runs(directories, STORE, store, lambda text: None)
    found = store.get_run(run.run_id)
    return found.status, found.tag("projrun.reason")


@pytest.mark.parametrize(("code", "end"), [(0, ("FINISHED", None)), (3, ("FAILED", "exit code 3"))])
def test_job_that_outlives_its_runner_decides(
    store: SqlStore, directories: Directories, job: Path, code: int, end: tuple[str, str | None]
) -> None:
    run = lost(store, directories, "survives", str(job))
    for _ in range(2):  # while it runs, each command leaves it alone
        assert ended(store, directories, run) == ("RUNNING", None)
    (job / "ended").write_text(str(code))
    assert ended(store, directories, run) == end
    assert list(directories.active.iterdir()) == []
    assert [file.path for file in store.artifacts(run.artifact_uri).list("logs")] == ["logs/output.log"]


def test_the_output_of_a_continued_run_that_is_lost_replaces_none(
    store: SqlStore, directories: Directories, tmp_path: Path
) -> None:
    run = store.create_run("0", start_time=1)
    first = tmp_path / "output.log"
    first.write_text("first\n")
    artifacts = store.artifacts(run.artifact_uri)
    artifacts.upload(first, "logs/output.log")
    lease = Lease(directories.active / run.run_id, Mark(run.run_id, STORE, continued=True))
    lease.log_file.write_text("second\n")
    lease.release(keep=True)
    assert ended(store, directories, run)[0] == "KILLED"
    names = ["logs/output-2.log", "logs/output.log"]
    assert sorted(file.path for file in artifacts.list("logs")) == names
    texts = [Path(artifacts.folder or "", name).read_text() for name in names]
    assert texts == ["second\n", "first\n"]


def test_output_that_was_delivered_is_not_delivered_again(store: SqlStore, directories: Directories) -> None:
    """The lease stays where the end could not be recorded: the next command comes back to it."""
    run = store.create_run("0", start_time=1)
    lease = Lease(directories.active / run.run_id, Mark(run.run_id, STORE, continued=True))
    lease.log_file.write_text("said\n")
    recorder = RunRecorder(store, run, lambda text: None)
    recorder.before = run
    for _ in range(2):
        assert deliver_log(lease, recorder, directories.logs, lambda text: None) is None
    lease.release()
    assert [file.path for file in store.artifacts(run.artifact_uri).list("logs")] == ["logs/output.log"]


def test_job_that_its_backend_does_not_know_is_lost(
    store: SqlStore, directories: Directories, job: Path
) -> None:
    run = lost(store, directories, "survives", str(job / "absent"))
    status, reason = ended(store, directories, run)
    assert status == "KILLED"
    assert reason is not None
    assert reason.startswith("lost: ")


@pytest.mark.parametrize("content", ["no number", "999"])
def test_backend_that_fails_leaves_the_run_lost(
    store: SqlStore, directories: Directories, job: Path, content: str
) -> None:
    (job / "ended").write_text(content)
    run = lost(store, directories, "survives", str(job))
    status, reason = ended(store, directories, run)
    assert status == "KILLED"
    assert reason is not None
    assert "; backend 'survives' (survives:Backend, package survives): " in reason


def test_backend_that_was_removed_leaves_the_run_lost(store: SqlStore, directories: Directories) -> None:
    run = lost(store, directories, "removed", "text")
    warnings: list[str] = []
    end_lost_runs(directories, STORE, store, warnings.append)
    found = store.get_run(run.run_id)
    reason = "lost: the runner was killed or the machine went down; unknown backend 'removed'"
    assert (found.status, found.tag("projrun.reason")) == ("KILLED", reason)
    assert f"was {reason}; it is now recorded as KILLED" in warnings[0]


@pytest.mark.processes
def test_runner_notes_a_job_that_survives_it(tmp_path: Path, job: Path) -> None:
    """From the command line: the runner is killed, its job goes on and ends."""
    project = tmp_path / "project"
    project.mkdir()
    command = "until [ -e go ]; do sleep 0.05; done"
    (project / "MLproject").write_text(f"entry_points: {{main: {{command: '{command}'}}}}", "utf-8")
    database = tmp_path / "runs.db"
    environ = {
        "PYTHONPATH": str(tmp_path / "site"),
        "PROJRUN_TRACKING_URI": f"sqlite:///{database}",
        "JOB": str(job),
        "PATH": os.environ["PATH"],
        "PROJRUN_HOME": str(tmp_path / "home"),
    }
    argv = [sys.executable, "-m", "projrun", "run", str(project), "--env-manager=local", "--backend=survives"]
    with subprocess.Popen(argv, env=environ) as runner:
        wait_until(lambda: (job / "attached").exists())
        runner.kill()
    assert listed(environ) == ["RUNNING"]
    (project / "go").touch()
    wait_until(lambda: (job / "ended").exists())
    assert listed(environ) == ["FINISHED"]


def listed(environ: Mapping[str, str]) -> list[str]:
    """The statuses that `projrun runs list` shows."""
    done = run_projrun("runs", "list", "--json", environ=environ).check()
    return [run["status"] for run in json.loads(done.stdout)["runs"]]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("tagged", [True, False], ids=["by its tag", "by its id"])
def test_a_run_that_its_runner_did_not_hear_of_is_found_and_ended(
    store: SqlStore, directories: Directories, tagged: bool
) -> None:
    """The runner was killed after it had asked for the run."""
    lease = unheard(directories)
    if tagged:
        run = store.create_run("0", start_time=1, tags=[Tag(ORIGIN, ORIGIN_ID)])
    else:
        run = store.create_run("0", start_time=1, origin_id=ORIGIN_ID)
        assert run.run_id == ORIGIN_ID
    lease.release(keep=True)
    status, reason = ended(store, directories, run)
    assert status == "KILLED"
    assert (reason or "").startswith("lost: ")
    assert list(directories.active.iterdir()) == []


def test_a_run_that_a_server_did_not_create_is_looked_for_until_it_cannot_come_any_more(
    store: SqlStore, directories: Directories, tmp_path: Path
) -> None:
    unheard(directories).release(keep=True)
    with (
        Endpoint.open(lambda: SqlStore.open(tmp_path / "projrun.db")) as endpoint,
        closing(RestStore(endpoint.uri, {})) as server,
    ):
        end_lost_runs(directories, STORE, server, lambda text: None)
        (folder,) = directories.active.iterdir()
        long_ago = time.time() - 3600
        os.utime(folder / "run.json", (long_ago, long_ago))
        end_lost_runs(directories, STORE, server, lambda text: None)
    assert list(directories.active.iterdir()) == []


def test_a_run_that_a_store_on_this_machine_did_not_create_is_forgotten(
    store: SqlStore, directories: Directories
) -> None:
    """Its runner was that store: nothing creates the run any more."""
    unheard(directories).release(keep=True)
    end_lost_runs(directories, STORE, store, lambda text: None)
    assert list(directories.active.iterdir()) == []


def test_a_run_that_no_store_was_asked_for_is_forgotten(store: SqlStore, directories: Directories) -> None:
    Lease(directories.active / ORIGIN_ID, Mark("", STORE, origin_id=ORIGIN_ID)).release(keep=True)
    end_lost_runs(directories, STORE, store, lambda text: None)
    assert list(directories.active.iterdir()) == []


def unheard(directories: Directories) -> Lease:
    """The lease of a run that the store was asked for."""
    mark = Mark("", STORE, origin_id=ORIGIN_ID, experiment_id="0")
    return Lease(directories.active / ORIGIN_ID, mark)


def test_runs_that_the_command_of_a_lost_run_created_end_with_it(
    store: SqlStore, directories: Directories
) -> None:
    """But one that another runner records, which lives."""
    run, left, live = (store.create_run("0", start_time=1) for _ in range(3))
    lease = Lease(directories.active / run.run_id, Mark(run.run_id, STORE))
    for created in (left, live):
        lease.note_created(created.run_id)
    lease.release(keep=True)
    other = Lease(directories.active / live.run_id, Mark(live.run_id, STORE))
    assert ended(store, directories, run)[0] == "KILLED"
    status, reason = ended(store, directories, left)
    assert status == "KILLED"
    assert (reason or "").startswith(
        f"left RUNNING by the command of run {run.run_id}, which is KILLED: lost: "
    )
    assert ended(store, directories, live) == ("RUNNING", None)
    other.release()
    assert list(directories.active.iterdir()) == []
