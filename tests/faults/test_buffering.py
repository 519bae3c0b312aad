"""A buffered run whose server fails at any moment: the command never waits, and the server has everything once."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Metric, Run
from projrun.tracking.sql.store import SqlStore
from tests.cli.test_tracking_buffer import CLIENT
from tests.execution.supervision.support import eventually
from tests.faults.test_deadlines import Bench, run_for
from tests.journal.stores import ForeignStore
from tests.support.commands import run_projrun
from tests.support.faulty import FAULTS, faulty
from tests.support.projects import python_project

pytestmark = pytest.mark.integration

STEPS = 150
LOGS = f"""
def runner_of(pid):
    while b"projrun" not in Path(f"/proc/{{pid}}/cmdline").read_bytes():
        pid = int(Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])
    return pid
runner = runner_of(os.getppid()) if sys.platform == "linux" else 0
def waited():
    found = []
    for task in [Path("/proc/self"), *Path(f"/proc/{{runner}}/task").glob("*")]:
        try:
            found.append(int((task / "schedstat").read_text().split()[1]))
        except OSError:
            pass
    return sum(found) / 1e9
times = []
for step in range({STEPS}):
    before = waited()
    took = log(step)
    times.append(max(took - (waited() - before), 0))
    with Path(os.environ["WHERE"], "logged").open("a") as file:
        file.write("x")
    if step % 50 == 0:
        call("runs/set-tag", run_id=run_id, key=f"tag{{step}}", value=str(step))
    time.sleep(0.01)
Path(os.environ["WHERE"], "times").write_text(json.dumps(times))
print("all logged")
"""


class Moment(NamedTuple):
    """A fault, when it comes, and how long it lasts; 0 until the run has ended."""

    name: str
    fault: str
    after: float
    lasts: float
    killed: bool = False


def moments(count: int, *, killed: bool = False) -> list[Moment]:
    chance = random.Random(11)
    return [
        Moment(
            f"run-{number}",
            FAULTS[number % len(FAULTS)],
            chance.uniform(0.3, 3.0),
            chance.choice([0.0, chance.uniform(0.1, 1.5)]),
            killed,
        )
        for number in range(count)
    ]


@pytest.fixture
def arrived() -> list[tuple[str, Metric]]:
    """Every metric that the server took, with its run: its store would keep one twice only once."""
    return []


@pytest.fixture
def bench(tmp_path: Path, arrived: list[tuple[str, Metric]]) -> Iterator[Bench]:
    project = python_project(tmp_path / "project", CLIENT + LOGS)
    folder = tmp_path / "server"
    folder.mkdir()
    with Endpoint.open(lambda: ForeignStore.at(folder, arrived)) as endpoint:
        yield Bench(tmp_path, project, endpoint.uri_at("127.0.0.1"), folder / "foreign.db")


def buffered(bench: Bench, moment: Moment) -> str:
    """What is wrong about the run; empty if nothing is."""
    with faulty(bench.upstream) as server:
        environ = {**bench.environ(moment.name, server.uri), "PROJRUN_TRACKING_BUFFER": "1"}
        run = bench.start(moment.name, environ)
        try:
            if moment.killed:
                logged = bench.folder / moment.name / "logged"
                eventually(logged.exists, "the first step")
            time.sleep(moment.after / 3 if moment.killed else moment.after)
            server.fault = moment.fault
            if moment.killed:
                run.send_signal(signal.SIGKILL)
            elif moment.lasts:
                time.sleep(moment.lasts)
                server.recover()
            run_for(run, 60)
        finally:
            run.kill()
            run.wait()
        server.recover()
        return delivered(environ, moment)


def delivered(environ: Mapping[str, str], moment: Moment) -> str:
    """`projrun sync` once, with a server that works; a command of a killed runner is ended first."""
    deadline = time.monotonic() + 120
    while True:
        done = run_projrun("sync", environ=environ)
        if done.returncode == 0 or time.monotonic() > deadline or not moment.killed:
            return "" if done.returncode == 0 else f"{moment}: {done.stdout}{done.stderr}"
        time.sleep(0.2)


def check(bench: Bench, tried: Sequence[Moment], arrived: Sequence[tuple[str, Metric]]) -> None:
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda moment: buffered(bench, moment), tried))
    assert [text for text in said if text] == []
    recorded = bench.recorded()
    for moment in tried:
        runs = recorded.get(moment.name, [])
        assert len(runs) <= 1, moment
        logged = bench.folder / moment.name / "logged"
        if logged.exists():
            in_order(bench, moment, runs[0], logged.stat().st_size)
        times = bench.folder / moment.name / "times"
        if times.exists():
            quick(moment, json.loads(times.read_text()))
            complete(bench, moment, runs[0])
        assert not list((bench.folder / moment.name / "home" / "active").glob("*/journal.db")), moment
    twice = [found for found, count in Counter(_named(arrived)).items() if count > 1]
    assert twice == []


def _named(arrived: Sequence[tuple[str, Metric]]) -> Iterator[tuple[str, str, int]]:
    return ((run_id, metric.key, metric.step) for run_id, metric in arrived)


def quick(moment: Moment, times: list[float]) -> None:
    """The command did not wait for the server, which would cost seconds.

    `times` leave aside how long both sides waited for a core, where the system tells. The slower half of the calls may
    still be the machine's, on which other tests run.
    """
    ordered = sorted(times[1:])
    assert ordered[len(ordered) // 2] < 0.05, (moment, ordered[-20:])
    assert ordered[-1] < 2.0, (moment, ordered[-20:])


def in_order(bench: Bench, moment: Moment, run: Run, count: int) -> None:
    """Every step that the endpoint has taken is there; of a killed run perhaps one more, whose answer did not come."""
    with closing(SqlStore.open(bench.database)) as store:
        steps = [metric.step for metric in store.get_metric_history(run.run_id, "loss").metrics]
    assert steps in (list(range(count)), list(range(count + 1))), moment


def complete(bench: Bench, moment: Moment, run: Run) -> None:
    """All that the command logged is there."""
    with closing(SqlStore.open(bench.database)) as store:
        steps = [metric.step for metric in store.get_metric_history(run.run_id, "loss").metrics]
    assert steps == list(range(STEPS)), moment
    tags = {f"tag{step}": str(step) for step in range(0, STEPS, 50)}
    assert {key: run.tag(key) for key in tags} == tags, moment
    if not moment.killed:
        assert bench.logs(run) == ["all logged\n"], moment
        assert run.status == "FINISHED", moment


def test_the_command_never_waits_and_nothing_is_lost(bench: Bench, arrived: list[tuple[str, Metric]]) -> None:
    check(bench, moments(6), arrived)


def test_what_a_killed_run_logged_is_delivered(bench: Bench, arrived: list[tuple[str, Metric]]) -> None:
    check(bench, moments(3, killed=True), arrived)


@pytest.mark.large
def test_the_command_never_waits_at_100_moments(bench: Bench, arrived: list[tuple[str, Metric]]) -> None:
    check(bench, moments(100), arrived)


@pytest.mark.large
def test_what_50_killed_runs_logged_is_delivered(bench: Bench, arrived: list[tuple[str, Metric]]) -> None:
    check(bench, moments(50, killed=True), arrived)
