"""Detached runs: real processes, which outlive their starter, its terminal and the run around them."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from projrun.execution.supervision.group import process_state
from projrun.tracking.entities import Tag
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import Completed, projrun_argv, run_projrun, start_projrun
from tests.support.projects import write_project

PROJECT = """
entry_points:
  main: {command: "echo begin; echo out >&2; until test -e end; do sleep 0.05; done; echo done; exit $(cat end)"}
  saves: {command: "trap 'touch saved; exit 1' TERM; touch started; sleep 60 & wait"}
  stubborn: {command: "trap '' TERM INT; touch started; sleep 60; sleep 60; sleep 60"}
  short: {command: "echo short"}
  counts: {parameters: {n: float}, command: "echo run {n}"}
  prepares: {parameters: {data: path}, command: "cat {data}"}
  escapes: {command: "setsid sleep 60 & echo $! > pid; touch started; wait"}
  outer: {command: "projrun run . -d > inner_id"}
  outer_waits: {command: "projrun run . -d > inner_id; touch started; sleep 60"}
  fails: {command: "echo attempt $PROJRUN_ATTEMPT; sleep 0.5; exit 3"}
"""


class Box:
    """A data folder and a project, and the commands on them."""

    def __init__(self, folder: Path) -> None:
        self.project = write_project(folder / "project", PROJECT)
        self.environ = {"PROJRUN_HOME": str(folder / "home"), "PROJRUN_ENV_MANAGER": "local"}
        self.active = folder / "home" / "active"

    def __call__(self, *words: str) -> Completed:
        return run_projrun(*words, cwd=self.project, environ=self.environ)

    def detached(self, entry_point: str = "main") -> str:
        """The id of a new one."""
        return self("run", ".", "-d", "-e", entry_point).check().stdout.strip()

    def end(self, code: int) -> None:
        """Let `main` end."""
        (self.project / "new").write_text(str(code))
        (self.project / "new").rename(self.project / "end")

    def shown(self, run_id: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self("runs", "show", run_id, "--json").check().stdout)
        return document

    def listed(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = json.loads(self("runs", "list", "--active", "--json").check().stdout)[
            "runs"
        ]
        return runs


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    made.end(0)
    left = [run["run_id"] for run in made.listed()]
    if left:
        made("cancel", "--kill", *left)


def until(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_detached_run_from_its_start_to_its_end(box: Box) -> None:
    begun = box("run", ".", "-d")
    run_id = begun.check().stdout.strip()
    assert len(run_id) == 32
    assert "goes on in the background; follow it with `projrun attach" in begun.stderr
    until(lambda: "begin" in box("logs", run_id[:6]).stdout)
    (listed,) = box.listed()
    assert (listed["run_id"], listed["status"], listed["doing"]) == (run_id, "RUNNING", "running")
    assert os.getsid(listed["pid"]) == listed["pid"]
    assert box("runs", "list", "--active").stdout.splitlines()[1].startswith(run_id)
    refused = box("runs", "list", "--active", "--filter", "params.a = '1'")
    assert (refused.returncode, refused.stdout) == (2, "")

    attached = [start_projrun("attach", "latest", cwd=box.project, environ=box.environ) for _ in range(2)]
    following = start_projrun("logs", "-f", run_id, cwd=box.project, environ=box.environ)
    time.sleep(0.5)  # most often they find it running, else ended: they show the same
    box.end(3)
    for process, code in ((attached[0], 3), (attached[1], 3), (following, 0)):
        ended = process.end()
        assert (ended.returncode, ended.stdout) == (code, b"begin\nout\ndone\n")
        assert ended.stderr.count(b": exit code 3") == (1 if code else ended.stderr.count(b"failed after"))

    assert box.listed() == []
    assert list(box.active.iterdir()) == []
    document = box.shown(run_id)
    assert (document["status"], document["tags"]["projrun.exit_code"]) == ("FAILED", "3")
    again = box("attach", "latest")
    assert (again.returncode, again.stdout) == (3, "begin\nout\ndone\n")
    assert box("logs", run_id).check().stdout == "begin\nout\ndone\n"
    assert "logs/runner.log" in [artifact["path"] for artifact in document["artifacts"]]
    ended_already = box("cancel", run_id).check()
    assert "has already ended: FAILED" in ended_already.stderr


def test_what_is_wrong_is_said_before_it_returns(box: Box) -> None:
    done = box("run", ".", "-d", "-e", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown entry point 'nope'" in done.stderr
    done = box("run", ".", "-d", "--json", "--tracking-uri", "http://127.0.0.1:1", "--experiment-name", "x")
    assert done.returncode == 5
    assert json.loads(done.stdout)["exit_code"] == 5
    assert list(box.active.iterdir()) == []


def test_json_gives_the_id(box: Box) -> None:
    done = box("run", ".", "-d", "-e", "short", "--json").check()
    document = json.loads(done.stdout)
    assert document.keys() == {
        "run_id", "run_name", "experiment_id", "status", "start_time", "artifact_uri", "tracking_uri", "pid",
    }  # fmt: skip
    assert done.stderr == ""
    attached = box("attach", document["run_id"]).check()
    assert attached.stdout == "short\n"


def test_it_survives_its_terminal_and_its_callers_group(box: Box) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(box.project)
        argv = ["sh", "-c", f"{projrun_argv()[0]} run . -d > id; mv id told; sleep 60"]
        os.execvpe("sh", argv, {**os.environ, **box.environ})
    until((box.project / "told").exists)
    os.killpg(pid, signal.SIGHUP)
    os.close(terminal)
    os.waitpid(pid, 0)
    run_id = (box.project / "told").read_text().strip()
    (listed,) = box.listed()
    os.kill(listed["pid"], signal.SIGHUP)
    time.sleep(0.3)
    box.end(0)
    assert box("attach", run_id).check().stdout == "begin\nout\ndone\n"
    assert box.shown(run_id)["status"] == "FINISHED"


def test_cancel_gives_the_command_its_grace_period(box: Box) -> None:
    run_id = box.detached("saves")
    until((box.project / "started").exists)
    done = box("cancel", run_id[:8]).check()
    assert "is KILLED: interrupted by SIGTERM" in done.stderr
    assert (box.project / "saved").exists()
    assert box("attach", run_id).returncode == 143


def test_cancel_kill_gives_it_none(box: Box) -> None:
    run_id = box.detached("stubborn")
    until((box.project / "started").exists)
    begin = time.monotonic()
    done = box("cancel", "--kill", run_id).check()
    assert time.monotonic() - begin < 30  # the command takes three minutes
    assert "is KILLED: interrupted by SIGTERM" in done.stderr
    assert box.shown(run_id)["status"] == "KILLED"


def test_cancel_ends_the_others_where_one_is_unknown(box: Box) -> None:
    one, other = box.detached(), box.detached("short")
    done = box("cancel", "nothing", one, "none", other)
    assert (done.returncode, box.listed()) == (2, [])
    assert "projrun: error: the tracking store" in done.stderr
    assert "has no run 'nothing'" in done.stderr
    assert "has no run 'none'" in done.stderr
    assert box.shown(one)["status"] == "KILLED"


def test_leaving_attach_leaves_the_run_running(box: Box) -> None:
    run_id = box.detached()
    attached = subprocess.Popen(
        [*projrun_argv(), "attach", run_id],
        cwd=box.project,
        env={**os.environ, **box.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert attached.stdout is not None
    assert attached.stdout.readline() == "begin\n"
    attached.send_signal(signal.SIGINT)
    _, said = attached.communicate(timeout=30)
    assert attached.returncode == 130
    assert f"goes on, `projrun cancel {run_id[:8]}` ends it" in said
    assert [run["run_id"] for run in box.listed()] == [run_id]


def test_a_killed_runner_leaves_a_run_that_has_ended(box: Box) -> None:
    run_id = box.detached()
    until(lambda: box("logs", run_id).stdout == "begin\nout\n")
    attached = start_projrun("attach", run_id, cwd=box.project, environ=box.environ)
    time.sleep(0.5)  # most often it finds it running, else ended: it shows the same
    os.kill(box.listed()[0]["pid"], signal.SIGKILL)
    ended = attached.end()
    assert (ended.returncode, ended.stdout) == (137, b"begin\nout\n")
    assert box.shown(run_id)["status"] == "KILLED"
    until(lambda: not list(box.active.iterdir()))


@pytest.fixture
def nested(box: Box) -> Box:
    """One whose commands find projrun."""
    box.environ["PATH"] = f"{Path(projrun_argv()[0]).parent}:{os.environ['PATH']}"
    return box


def test_a_run_detached_in_a_run_outlives_it(nested: Box) -> None:
    done = nested("run", ".", "-e", "outer", "--json").check()
    assert "left running" not in done.stderr
    outer = json.loads(done.stdout)
    inner = (nested.project / "inner_id").read_text().strip()
    assert nested.shown(inner)["status"] == "RUNNING"
    assert nested.shown(inner)["tags"]["mlflow.parentRunId"] == outer["run_id"]
    nested.end(0)
    assert nested("attach", inner).check().stdout == "begin\nout\ndone\n"
    assert nested.shown(inner)["status"] == "FINISHED"


def test_a_run_detached_in_a_run_outlives_its_cancelling(nested: Box) -> None:
    outer = nested.detached("outer_waits")
    until((nested.project / "started").exists)
    nested("cancel", outer).check()
    inner = (nested.project / "inner_id").read_text().strip()
    assert [run["run_id"] for run in nested.listed()] == [inner]
    time.sleep(0.5)
    nested.end(0)
    assert nested("attach", inner).check().stdout == "begin\nout\ndone\n"


def test_a_killed_runner_leaves_no_process(box: Box) -> None:
    run_id = box.detached("escapes")
    until((box.project / "started").exists)
    if not Path("/proc/self/environ").exists():
        pytest.skip("without /proc, processes of other sessions survive kill -9 of the runner")
    escaped = int((box.project / "pid").read_text())
    assert process_state(escaped).state not in ("", "Z")
    os.kill(box.listed()[0]["pid"], signal.SIGKILL)
    until(lambda: process_state(escaped).state in ("", "Z"))
    assert box.shown(run_id)["status"] == "KILLED"


def test_an_interrupt_before_the_run_is_recorded_leaves_none(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}/project.tar.gz"
        starter = subprocess.Popen(
            [*projrun_argv(), "run", uri, "-d"],
            env={**os.environ, **box.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        with connection:
            starter.send_signal(signal.SIGINT)
            printed, said = starter.communicate(timeout=30)
    assert (starter.returncode, printed) == (130, "")
    assert said.count("interrupted by SIGINT") == 1
    assert list(box.active.iterdir()) == []


def test_a_run_is_cancelled_while_it_is_prepared(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"data=http://127.0.0.1:{silent.getsockname()[1]}/data"
        run_id = box("run", ".", "-d", "-e", "prepares", "-P", uri).check().stdout.strip()
        connection, _ = silent.accept()
        with connection:
            assert [run["doing"] for run in box.listed()] == ["preparing"]
            begin = time.monotonic()
            done = box("cancel", run_id).check()
    assert time.monotonic() - begin < 25
    assert "is KILLED: interrupted by SIGTERM" in done.stderr
    assert list(box.active.iterdir()) == []


def test_the_log_of_a_run_that_waits_for_its_server(box: Box) -> None:
    box.environ.update(PROJRUN_OFFLINE_TRACKING="1", MLFLOW_TRACKING_URI="http://127.0.0.1:1")
    run_id = box.detached("fails")
    until(lambda: not box.listed())
    attached = box("attach", run_id[:8])
    assert (attached.returncode, attached.stdout) == (3, "attempt\n")
    assert ": exit code 3" in attached.stderr
    assert box("logs", run_id).check().stdout == "attempt\n"


def test_attach_shows_every_attempt(box: Box) -> None:
    done = box("run", ".", "-d", "-e", "fails", "--retries", "1", "--retry-delay", "0.5")
    attached = box("attach", done.check().stdout.strip())
    assert attached.returncode == 3
    assert attached.stdout.endswith("attempt 2\n")
    assert "attempt 2 of 2" in attached.stderr


@pytest.mark.parametrize("count", [16, pytest.param(64, marks=pytest.mark.large)])
def test_many_short_runs_at_once(box: Box, count: int) -> None:
    processes = [
        start_projrun(
            *("run", ".", "-d", "-q", "-e", "counts", "-P", f"n={number}"),
            cwd=box.project,
            environ=box.environ,
        )
        for number in range(count)
    ]
    ended = [process.end(300) for process in processes]
    assert [(one.returncode, one.stderr) for one in ended] == [(0, b"")] * count
    until(lambda: not list(box.active.iterdir()))
    listed = box("runs", "list", "--json", "--max-results", "1000").check().stdout
    runs = {run["run_id"]: run for run in json.loads(listed)["runs"]}
    assert runs.keys() == {one.stdout.decode().strip() for one in ended}
    assert {run["status"] for run in runs.values()} == {"FINISHED"}
    for run_id, run in runs.items():
        log = box.active.parent / "artifacts" / "0" / run_id / "artifacts" / "logs" / "output.log"
        assert log.read_text() == f"run {run['params']['n']}\n"


def test_a_run_that_is_set_to_killed_in_its_store_is_stopped(box: Box) -> None:
    """As `projrun cancel` on another machine does, and the tracking server's page."""
    run_id = box.detached("saves")
    until((box.project / "started").exists)
    store = SqlStore.open(box.active.parent / "projrun.db")
    store.update_run(run_id, status="KILLED", end_time=store.get_run(run_id).start_time)
    store.close()
    ended = box("attach", run_id)
    assert ended.returncode == 143
    assert (box.project / "saved").exists()
    document = box.shown(run_id)
    assert document["status"] == "KILLED"
    assert document["tags"]["projrun.reason"] == "cancelled on the tracking server"


def test_a_run_of_another_machine_is_cancelled_in_its_store(box: Box) -> None:
    run_id = box.detached("short")
    box("attach", run_id).check()
    store = SqlStore.open(box.active.parent / "projrun.db")
    store.update_run(run_id, status="RUNNING")  # as its runner would leave it, elsewhere
    foreign = store.create_run("0", start_time=1).run_id
    beat = store.create_run("0", start_time=1, tags=[Tag("projrun.heartbeat", "5")]).run_id
    store.close()
    assert "is set to KILLED" in box("cancel", run_id).check().stderr
    assert box.shown(run_id)["status"] == "KILLED"
    refused = box("cancel", foreign)
    assert (refused.returncode, box.shown(foreign)["status"]) == (2, "RUNNING")
    attached = box("attach", foreign)
    assert "is RUNNING, but not on this machine" in attached.stderr

    assert beat in box("runs", "reap", "--dry-run").check().stdout
    assert box.shown(beat)["status"] == "RUNNING"
    reaped = json.loads(box("runs", "reap", "--json").check().stdout)["runs"]
    assert [(run["run_id"], run["end_time"]) for run in reaped] == [(beat, 5)]
    assert (box.shown(beat)["status"], box.shown(foreign)["status"]) == ("KILLED", "RUNNING")
    assert "1 run ended" in box("runs", "reap", foreign[:8]).check().stderr
    assert box.shown(foreign)["status"] == "KILLED"
