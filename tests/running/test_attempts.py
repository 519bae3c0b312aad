"""A command that failed is started again, and all attempts are one run."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from projrun.errors import EnvironmentBuildError
from projrun.running.during import remote
from projrun.running.runner import Result
from projrun.tracking.sql.store import SqlStore
from tests.execution.supervision.support import eventually
from tests.running.test_runner import Workbench
from tests.support.commands import start_projrun
from tests.support.projects import write_project

FAILING = """
name: failing
entry_points:
  main:
    parameters: {good: {type: int, default: 9}}
    command: "echo attempt $PROJRUN_ATTEMPT; test $PROJRUN_ATTEMPT -eq {good} || exit $((PROJRUN_ATTEMPT + 4))"
"""

# What the mlflow client does when a script fails.
ENDING = f"""
name: ending
entry_points:
  main: {{command: "{sys.executable} end.py"}}
"""
END = """
import json, os, sys, urllib.request
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "status": "FAILED", "end_time": 5}
uri = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/update"
if os.environ["PROJRUN_ATTEMPT"] == "1":
    urllib.request.urlopen(urllib.request.Request(uri, json.dumps(body).encode(), {"Content-Type": "application/json"}))
    sys.exit(1)
"""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    bench = Workbench(tmp_path)
    write_project(bench.project, FAILING)
    return bench


def execute(bench: Workbench, good: int, **settings: str) -> Result:
    bench.environ |= {f"PROJRUN_{name.upper()}": value for name, value in settings.items()}
    return bench.execute(bench.plan(good=str(good)))


def attempted(bench: Workbench) -> bool:
    """Whether the first attempt has printed its line."""
    return any(file.stat().st_size for file in (bench.home / "active").rglob("output.log"))


def logs(result: Result) -> dict[str, str]:
    assert result.artifact_folder is not None
    return {file.name: file.read_text() for file in (result.artifact_folder / "logs").iterdir()}


def test_it_is_started_again_until_it_finishes(bench: Workbench) -> None:
    result = execute(bench, 3, retries="5")
    assert (result.outcome.status, result.outcome.exit_code) == ("FINISHED", 0)
    (run,) = bench.runs()
    assert (run.status, run.tag("projrun.attempts"), run.tag("projrun.exit_code")) == ("FINISHED", "3", None)
    assert logs(result) == {
        "output.1.log": "attempt 1\n",
        "output.2.log": "attempt 2\n",
        "output.log": "attempt 3\n",
    }
    assert "attempt 2 of 6 failed: exit code 6; attempt 3 of 6 in 0 s" in bench.heard.infos
    assert list((bench.home / "active").iterdir()) == []


@pytest.mark.parametrize(
    ("retry_on", "attempts", "exit_code"), [("5,6", 3, 7), ("6", 1, 5), ("timeout", 1, 5), ("5", 2, 6)]
)
def test_the_last_attempt_decides(bench: Workbench, retry_on: str, attempts: int, exit_code: int) -> None:
    result = execute(bench, 9, retries="2", retry_on=retry_on)
    assert (result.outcome.status, result.outcome.exit_code) == ("FAILED", exit_code)
    (run,) = bench.runs()
    assert (run.tag("projrun.attempts"), run.tag("projrun.exit_code")) == (str(attempts), str(exit_code))


@pytest.mark.processes
def test_what_an_attempt_said_of_the_run_is_not_said_of_the_next(bench: Workbench) -> None:
    write_project(bench.project, ENDING)
    (bench.project / "end.py").write_text(END)
    bench.environ |= {"PROJRUN_RETRIES": "1"}
    bench.execute(bench.plan())
    (run,) = bench.runs()
    assert (run.status, run.tag("projrun.attempts")) == ("FINISHED", "2")


def test_no_attempt_follows_what_failed_before_the_command(bench: Workbench, tmp_path: Path) -> None:
    bench.environ |= {"PROJRUN_RETRIES": "3", "PATH": str(tmp_path)}  # no bash
    with pytest.raises(EnvironmentBuildError, match="bash"):
        bench.execute(bench.plan(good="1"))
    (run,) = bench.runs()
    assert (run.status, run.tag("projrun.attempts"), run.tag("projrun.exit_code")) == ("FAILED", "1", "4")


@pytest.mark.processes
def test_a_signal_ends_the_waiting_for_the_next_attempt(bench: Workbench, tmp_path: Path) -> None:
    command = ("run", bench.project, "--env-manager=local", "--retries=3", "--retry-delay=10m")
    started = start_projrun(*command, cwd=tmp_path, environ={"PROJRUN_HOME": str(bench.home)})
    try:
        eventually(lambda: attempted(bench), "the first attempt's output")
        time.sleep(0.3)  # its end
    finally:
        started.send_signal(signal.SIGTERM)
        ended = started.end(timeout=120)
    assert ended.returncode == 143, ended.stderr
    (run,) = bench.runs()
    assert (run.status, run.tag("projrun.attempts"), run.tag("projrun.signal")) == ("KILLED", "1", "SIGTERM")
    # No attempt followed, so this one's log is the run's.
    kept = {file.name: file.read_text() for file in bench.home.rglob("logs/*.log")}
    assert kept == {"output.log": "attempt 1\n"}


def test_who_sets_the_run_to_killed_ends_the_waiting(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_ASK_EVERY", 0.02)
    bench.environ |= {"PROJRUN_RETRIES": "1", "PROJRUN_RETRY_DELAY": "10m"}

    def kill() -> None:
        eventually(lambda: attempted(bench), "the first attempt's output")
        eventually(lambda: bench.heard.infos[-1].startswith("attempt 1 of 2 failed"), "the waiting")
        store = SqlStore.open(bench.home / "projrun.db")
        (run,) = store.search_runs(["0"]).runs
        store.update_run(run.run_id, status="KILLED")
        store.close()

    thread = threading.Thread(target=kill)
    thread.start()
    result = bench.execute(bench.plan())
    thread.join()
    assert (result.outcome.status, result.outcome.reason) == ("KILLED", remote.CANCELLED)
    assert [run.tag("projrun.attempts") for run in bench.runs()] == ["1"]
    assert logs(result) == {"output.log": "attempt 1\n"}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
def test_what_a_failed_attempt_left_running_is_ended_before_the_next(bench: Workbench) -> None:
    command = "setsid bash -c 'echo $$ >> left; exec sleep 60' & sleep 0.3; test $PROJRUN_ATTEMPT -eq 2"
    write_project(bench.project, json.dumps({"entry_points": {"main": {"command": command}}}))
    bench.environ |= {"PROJRUN_RETRIES": "2"}
    bench.execute(bench.plan())
    first, last = map(int, (bench.project / "left").read_text().split())
    assert not is_running(first)
    assert is_running(last)  # a daemon of the command that finished may be on purpose
    os.kill(last, signal.SIGKILL)


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
