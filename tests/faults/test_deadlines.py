"""A tracking server that fails at any moment: no run is held, one signal leaves, and nothing is lost or there twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Run
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import projrun_argv, run_projrun
from tests.support.faulty import FAULTS, faulty
from tests.support.projects import write_project

pytestmark = pytest.mark.integration

LINES = 40
COMMAND = f"for i in $(seq {LINES}); do echo line $i; done; sleep 0.5; touch $WHERE/ended; exit 3"
MLPROJECT = f"""
name: faults
entry_points:
  main:
    parameters:
      alpha: {{type: float, default: 0.5}}
    command: "{COMMAND}"
"""
LONGEST = 1.2
"""Seconds of a run from its lease to its end, while all is well: faults begin within that time."""
END_TIMEOUT = 2.0
CALL = 2
"""Seconds for one call."""
SPARE = 20.0
TO_LEAVE = 15.0
"""Seconds on a busy machine; without its signal a run may be held for much longer, by these settings:"""
HOLDING = {"PROJRUN_END_TIMEOUT": "60", "MLFLOW_HTTP_REQUEST_TIMEOUT": "60"}


class Bench(NamedTuple):
    """A project, a server with a store behind it, and a folder for what each run leaves."""

    folder: Path
    project: Path
    upstream: str
    database: Path

    def environ(self, name: str, uri: str) -> dict[str, str]:
        """The settings of one run, which has a home of its own: no other run delivers for it."""
        where = self.folder / name
        where.mkdir()
        return {
            **os.environ,
            "PROJRUN_HOME": str(where / "home"),
            "PROJRUN_CACHE_DIR": str(self.folder / "cache"),
            "PROJRUN_ENV_MANAGER": "local",
            "PROJRUN_END_TIMEOUT": str(END_TIMEOUT),
            "PROJRUN_TRACKING_URI": uri,
            "MLFLOW_HTTP_REQUEST_TIMEOUT": str(CALL),
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "WHERE": str(where),
        }

    def start(self, name: str, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """A run of that name."""
        words = [*projrun_argv(), "run", str(self.project), "--run-name", name]
        with (self.folder / name / "stderr").open("wb") as stderr:
            return subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL, stderr=stderr)

    def recorded(self) -> dict[str, list[Run]]:
        """The runs on the server by name."""
        found: dict[str, list[Run]] = {}
        with closing(SqlStore.open(self.database)) as store:
            for run in store.search_runs(["0"]).runs:
                found.setdefault(run.run_name, []).append(run)
        return found

    def logs(self, run: Run) -> list[str]:
        """Names and contents of the run's artifacts."""
        with closing(SqlStore.open(self.database)) as store:
            artifacts = store.artifacts(run.artifact_uri)
            return [Path(artifacts.folder or "", file.path).read_text() for file in artifacts.list("logs")]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    project = write_project(tmp_path / "project", MLPROJECT)
    database = tmp_path / "server" / "projrun.db"
    SqlStore.open(database).close()
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        yield Bench(tmp_path, project, endpoint.uri_at("127.0.0.1"), database)


class Moment(NamedTuple):
    """A fault, and when it comes."""

    name: str
    fault: str
    after: float
    signum: int = 0


def moments(count: int, signals: Sequence[int] = (0,)) -> list[Moment]:
    chance = random.Random(int(os.environ.get("TEST_SEED", "10")))
    return [
        Moment(
            f"run-{number}",
            FAULTS[number % len(FAULTS)],
            chance.uniform(0.0, LONGEST),
            signals[number % len(signals)],
        )
        for number in range(count)
    ]


def held(bench: Bench, moment: Moment) -> str:
    """What is wrong about a run that the fault hit; empty if nothing is. Then the server is well again."""
    with faulty(bench.upstream) as server:
        environ = bench.environ(moment.name, server.uri)
        if moment.signum:
            environ |= HOLDING
        run = bench.start(moment.name, environ)
        try:
            wait_for_lease(bench.folder / moment.name / "home" / "active", run)
            time.sleep(moment.after)
            server.fault = moment.fault
            began = time.monotonic()
            said = ended(run, moment, bench.folder / moment.name / "ended", began)
        finally:
            run.kill()
            run.wait()
        server.recover()
        said += delivered(environ)
    stderr = (bench.folder / moment.name / "stderr").read_text()
    return f"{moment}: {said}\n{stderr}" if said else ""


def wait_for_lease(active: Path, run: subprocess.Popen[bytes]) -> None:
    """Until the run is about to be recorded."""
    while not (active.exists() and list(active.iterdir())) and run.poll() is None:
        time.sleep(0.01)


def ended(run: subprocess.Popen[bytes], moment: Moment, mark: Path, began: float) -> str:
    if moment.signum:
        run.send_signal(moment.signum)
        run_for(run, TO_LEAVE + 10)
        took = time.monotonic() - began
        if took > TO_LEAVE:
            return f"left after {took:.1f} s"
        codes = (3, 5, 128 + moment.signum, -moment.signum)  # it may have ended already, or not have begun
        return "" if run.returncode in codes else f"exit code {run.returncode}"
    # Before the command: what the calls of the start may take. After it: the deadline of the end.
    deadline = began + 30
    while run.poll() is None and not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    start = time.monotonic() - began
    run_for(run, END_TIMEOUT + SPARE + 10)
    end = time.monotonic() - began - start
    if start > 2 * CALL + LONGEST + SPARE or end > END_TIMEOUT + SPARE:
        return f"held for {start:.1f} s before the end of the command and {end:.1f} s after it"
    return "" if run.returncode in (3, 5) else f"exit code {run.returncode}"


def run_for(run: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        run.kill()


def delivered(environ: Mapping[str, str]) -> str:
    """`projrun sync` once, with a server that works."""
    done = run_projrun("sync", environ=environ)
    if done.returncode == 0 or "has not created the run yet" in done.stdout:
        return ""
    return f" sync: {done.returncode} {done.stdout}{done.stderr}"


def check(bench: Bench, tried: Sequence[Moment]) -> None:
    """Fail at all of these moments, and look at what is recorded then."""
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda moment: held(bench, moment), tried))
    wrong = [text for text in said if text]
    assert not wrong, "\n".join(wrong)
    recorded = bench.recorded()
    assert any((bench.folder / moment.name / "ended").exists() for moment in tried)
    for moment in tried:
        runs = recorded.get(moment.name, [])
        assert len(runs) <= 1, moment
        for run in runs:
            assert run.status in ("FAILED", "KILLED"), (moment, run)
            assert run.tag("projrun.reason"), (moment, run)
        if (bench.folder / moment.name / "ended").exists():
            complete(bench, moment, runs[0])


def complete(bench: Bench, moment: Moment, run: Run) -> None:
    """All that a run whose command ended must have, once."""
    assert [(param.key, param.value) for param in run.params] == [("alpha", "0.5")], moment
    assert bench.logs(run) == ["".join(f"line {number}\n" for number in range(1, LINES + 1))], moment
    if not moment.signum:
        assert (run.status, run.tag("projrun.exit_code")) == ("FAILED", "3"), moment


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def test_no_run_is_held_and_nothing_is_lost(bench: Bench) -> None:
    check(bench, moments(len(FAULTS)))


def test_one_signal_leaves_and_nothing_is_lost(bench: Bench) -> None:
    check(bench, moments(len(FAULTS), SIGNALS))


def test_a_run_whose_creation_is_not_answered_is_used_and_created_once(bench: Bench) -> None:
    """The server creates it, and the connection breaks before the answer. `mlflow run` creates another."""
    with faulty(bench.upstream) as server:
        environ = bench.environ("cut", server.uri)
        server.fault, server.only = "cut", "runs/create"
        run = bench.start("cut", environ)
        assert run.wait(60) == 3
    (recorded,) = bench.recorded()["cut"]
    complete(bench, Moment("cut", "cut", 0), recorded)
    assert list((bench.folder / "cut" / "home" / "active").iterdir()) == []


def test_a_runner_that_is_killed_before_it_knows_its_run_leaves_none_running(bench: Bench) -> None:
    with faulty(bench.upstream) as server:
        environ = bench.environ("killed", server.uri)
        server.fault, server.only = "trickling", "runs/create"
        run = bench.start("killed", environ)
        deadline = time.monotonic() + 60
        while not bench.recorded() and time.monotonic() < deadline:
            time.sleep(0.02)
        run.kill()
        run.wait()
        assert [one.status for one in bench.recorded()["killed"]] == ["RUNNING"]
        server.recover()
        assert run_projrun("runs", "list", environ=environ).check()
    (recorded,) = bench.recorded()["killed"]
    assert recorded.status == "KILLED"
    assert (recorded.tag("projrun.reason") or "").startswith("lost: ")
    assert list((bench.folder / "killed" / "home" / "active").iterdir()) == []


@pytest.mark.parametrize("signum", [0, signal.SIGINT])
def test_who_waits_for_the_server_is_told_and_can_leave(bench: Bench, signum: int) -> None:
    """The log is held up. Without a signal the status is recorded all the same; the exit code is the command's."""
    with faulty(bench.upstream) as server:
        limits = {"PROJRUN_END_TIMEOUT": "4", "MLFLOW_HTTP_REQUEST_TIMEOUT": "9"}
        environ = {**bench.environ("told", server.uri), **(HOLDING if signum else limits)}
        server.fault, server.only = "trickling", "logs/output.log"
        run = bench.start("told", environ)
        stderr = bench.folder / "told" / "stderr"
        deadline = time.monotonic() + 60
        while "waiting for the tracking server (Ctrl-C leaves" not in stderr.read_text():
            assert time.monotonic() < deadline, stderr.read_text()
            time.sleep(0.02)
        began = time.monotonic()
        if signum:
            run.send_signal(signum)
        assert run.wait(60) == 3
        assert time.monotonic() - began < TO_LEAVE
        (recorded,) = bench.recorded()["told"]
        assert recorded.status == ("RUNNING" if signum else "FAILED")
        server.recover()
        assert delivered(environ) == ""
    (recorded,) = bench.recorded()["told"]
    complete(bench, Moment("told", "trickling", 0), recorded)


@pytest.mark.large
def test_no_run_is_held_at_100_moments(bench: Bench) -> None:
    check(bench, moments(100))


@pytest.mark.large
def test_one_signal_leaves_at_100_moments(bench: Bench) -> None:
    check(bench, moments(100, SIGNALS))
