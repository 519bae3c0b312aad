"""What a command starts in sessions of its own: ended with a run that is ended, else named and left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from projrun.execution.protocol import JobSpec
from projrun.execution.supervision import descendants, process, processes
from projrun.execution.supervision.descendants import KEEP, RUN_IDS, Descendants, marked
from projrun.execution.supervision.guard import Guard
from projrun.execution.supervision.outside import Outside
from projrun.execution.supervision.process import ProcessJob
from projrun.execution.supervision.processes import Process
from tests.execution.supervision.support import (
    PROC,
    PYTHON,
    RUNNER,
    Runner,
    eventually,
    is_running,
    make_spec,
)

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not PROC.exists(), reason="these tests look into /proc"),
]

KINDS = {
    "setsid": "setsid sleep 60 & echo $! >> pids",
    "double fork": "(setsid bash -c 'echo $$ >> pids; exec sleep 60' &)",
    "nohup": "setsid nohup bash -c 'echo $$ >> pids; exec sleep 60' > /dev/null 2>&1 &",
    "start_new_session": (
        f'{PYTHON} -S -c \'import subprocess as s; p = s.Popen(["sleep", "60"], start_new_session=True); '
        'print(p.pid, file=open("pids", "a"))\''
    ),
    "job control": "set -m; sleep 60 & echo $! >> pids; set +m",
    "deaf": "setsid bash -c 'trap \"\" TERM HUP INT; echo $$ >> pids; while :; do sleep 0.05; done' &",
    "stopped": "setsid bash -c 'echo $$ >> pids; kill -STOP $$' &",
}
UNMARKED = {
    "env -i": "setsid env -i sleep 60 & echo $! >> pids",
    "a child of env -i": "env -i setsid bash -c 'env -i bash -c \"echo \\$\\$ >> pids; exec sleep 60\"; :' &",
}


class Bench:
    """A folder for commands, whose processes are all ended at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = os.urandom(16).hex()

    def spec(self, command: str, **changes: object) -> JobSpec:
        spec = make_spec(self.folder, command, mark=self.mark, **changes)
        return spec._replace(environ={**spec.environ, RUN_IDS: f"outer:{self.mark}"})

    def start(self, command: str, **changes: object) -> ProcessJob:
        return ProcessJob(["bash", "-c", command], self.spec(command, **changes))

    def pids(self, count: int) -> list[int]:
        """The ids that the command wrote, as soon as that many are there."""
        file = self.folder / "pids"
        file.touch()
        eventually(lambda: file.read_text().count("\n") >= count, f"{count} processes")
        return [int(line) for line in file.read_text().split()]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(process, "_LINGER", 0.1)
    bench = Bench(tmp_path)
    yield bench
    for pid in bench.pids(0):
        for end in (os.killpg, os.kill):
            with suppress(ProcessLookupError):
                end(pid, signal.SIGKILL)


def all_end(pids: list[int]) -> None:
    for pid in pids:
        eventually(lambda pid=pid: not is_running(pid), f"the end of process {pid}")  # type: ignore[misc]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_all_of_them_end_with_a_run_that_is_ended(bench: Bench, signum: int) -> None:
    kinds = {**KINDS, **UNMARKED}
    job = bench.start("\n".join((*kinds.values(), "touch ready; sleep 60")), grace_period=0.4)
    pids = bench.pids(len(kinds))
    eventually((bench.folder / "ready").exists, "the command")
    job.signal(signum)
    outcome = job.wait()
    assert (outcome.status, outcome.exit_code, outcome.warnings) == ("KILLED", 128 + signum, ())
    assert [pid for pid in pids if is_running(pid)] == []


def test_all_of_them_end_with_a_runner_that_is_killed(tmp_path: Path, bench: Bench) -> None:
    command = "\n".join((*KINDS.values(), "touch ready; sleep 60"))
    with Runner(tmp_path, command, grace_period=1.2, stdout=subprocess.DEVNULL) as runner:
        runner.created("ready")
        runner.job_pid  # noqa: B018 - the guard was told of the job
        pids = bench.pids(len(KINDS))
        runner.process.kill()
        all_end(pids)


def test_a_runner_killed_before_it_named_its_job_leaves_none(bench: Bench) -> None:
    """Between the start of the job and `watch` the guard knows its mark alone."""
    code = (
        "import os, subprocess, sys\nfrom projrun.execution.supervision.guard import Guard\n"
        f"Guard(5, mark=sys.argv[1])\nenviron = {{**os.environ, {RUN_IDS!r}: sys.argv[1]}}\n"
        "job = subprocess.Popen(['sleep', '60'], env=environ, start_new_session=True)\n"
        "print(job.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    words = [sys.executable, "-c", code, bench.mark]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=RUNNER.parents[2])
    all_end([int(done.stdout)])


def test_a_job_that_executes_its_command_only_after_that_ends_too(bench: Bench) -> None:
    guard = Guard(5, mark=bench.mark)
    os.close(guard._writer)
    try:
        time.sleep(0.2)
        late = subprocess.Popen(["sleep", "60"], env={**os.environ, RUN_IDS: bench.mark})
        assert late.wait(50) == -signal.SIGTERM
    finally:
        guard._writer = os.open(os.devnull, os.O_RDONLY)
        guard.release()


def test_after_a_normal_end_they_are_named_and_left_alone(bench: Bench) -> None:
    command = "setsid bash -c 'echo $$ >> pids; kill -STOP $$; :' 'password\n\x1b[2J' > /dev/null &"
    command += "\nuntil [ -s pids ]; do :; done"
    outcome = bench.start(f"{command}; exit 3", secrets=("password",)).wait()
    (pid,) = bench.pids(1)
    assert (outcome.status, outcome.exit_code) == ("FAILED", 3)
    shown = f"{pid} (bash -c echo $$ >> pids; kill -STOP $$; : ***  [2J)"
    assert outcome.warnings == (f"the command left processes running: {shown}; --end-leftovers ends them",)
    assert is_running(pid)


def test_only_a_few_are_named(bench: Bench) -> None:
    outcome = bench.start("for i in 1 2 3 4 5; do setsid sleep 60 & echo $! >> pids; done; sleep 0.3").wait()
    first, second, third, *_ = bench.pids(5)
    names = f"{first} (sleep 60), {second} (sleep 60), {third} (sleep 60) and 2 more"
    assert outcome.warnings == (f"the command left processes running: {names}; --end-leftovers ends them",)


def test_where_that_is_asked_for_they_are_ended_after_a_normal_end(bench: Bench) -> None:
    command = f"{KINDS['setsid']}; {KINDS['deaf']} until [ $(wc -l < pids) = 2 ]; do :; done"
    outcome = bench.start(command, end_leftovers=True, grace_period=0.2).wait()
    assert (outcome.status, outcome.exit_code) == ("FINISHED", 0)
    assert "in sessions of their own were ended: " in outcome.warnings[0]
    assert [pid for pid in bench.pids(2) if is_running(pid)] == []


def test_what_is_to_be_kept_is_neither_named_nor_ended(tmp_path: Path, bench: Bench) -> None:
    kept = f"{KEEP}=1 setsid bash -c 'echo $$ >> pids; sleep 60; :' > /dev/null 2>&1 &\n"
    assert bench.start(f"{kept} until [ -s pids ]; do :; done", end_leftovers=True).wait().warnings == ()
    job = bench.start(f"{kept} sleep 60")
    bench.pids(2)
    job.signal(signal.SIGTERM)
    job.wait()
    with Runner(tmp_path, f"{kept} sleep 60", grace_period=0.3, stdout=subprocess.DEVNULL) as runner:
        group, pids = runner.job_pid, bench.pids(3)
        runner.process.kill()
        eventually(lambda: not is_running(group), "the end of the job")
        time.sleep(0.5)
    assert [pid for pid in pids if not is_running(pid)] == []


def test_a_process_of_another_run_is_not_touched(bench: Bench) -> None:
    ids = f"{bench.mark}0:0{bench.mark}"
    command = f"{RUN_IDS}={ids} setsid sleep 60 & echo $! >> pids; touch ready; exit 0"
    assert bench.start(command).wait().warnings == ()
    assert all(map(is_running, bench.pids(1)))


NESTED = """\
trap 'echo TERM >> terms; sleep 0.3; echo saved >> saved; exit 7' TERM
setsid bash -c 'trap "echo TERM >> terms; exit" TERM; echo $$ >> pids; while :; do sleep 0.02; done' &
echo $$ >> pids
while :; do sleep 0.02; done
"""


@pytest.mark.parametrize("in_own_session", ["setsid ", ""])
def test_a_nested_run_ends_its_own_and_says_how(bench: Bench, in_own_session: str) -> None:
    """Each process gets one TERM, and the inner runner the time to note the end of its run."""
    inner = bench.folder / "inner.json"
    request = {
        "command": NESTED, "directory": str(bench.folder), "log_file": str(bench.folder / "inner.log"),
        "grace_period": 5, "secrets": [], "timeout": 0, "forward_stdout_to_stderr": False, "terminal": False,
        "builds": False, "building_file": "", "outcome_file": str(bench.folder / "ended"),
        "job_file": str(bench.folder / "job"),
        "ids": f"outer:{bench.mark}:inner",
    }  # fmt: skip
    inner.write_text(json.dumps(request))
    runner = f"{in_own_session}{PYTHON} -m tests.execution.supervision.runner {inner}"
    job = bench.start(f"cd {RUNNER.parents[2]}; {runner} & wait")
    pids = bench.pids(2)
    job.signal(signal.SIGTERM)
    assert job.wait().status == "KILLED"
    assert [pid for pid in pids if is_running(pid)] == []
    assert json.loads((bench.folder / "ended").read_text())[:2] == ["KILLED", 143]
    assert (bench.folder / "terms").read_text() == "TERM\nTERM\n"
    assert (bench.folder / "saved").read_text() == "saved\n"


def test_what_a_nested_run_left_ends_with_the_outer_one(bench: Bench) -> None:
    left = f"{RUN_IDS}=outer:{bench.mark}:inner setsid sleep 60 & echo $! >> pids"
    job = bench.start(f"{left}; touch ready; sleep 60")
    eventually((bench.folder / "ready").exists, "the command")
    job.signal(signal.SIGTERM)
    job.wait()
    assert [pid for pid in bench.pids(1) if is_running(pid)] == []


def test_what_a_nested_run_left_ends_with_a_runner_that_is_killed(tmp_path: Path, bench: Bench) -> None:
    """The guard gives it TERM when nothing of the run itself is left."""
    with Runner(tmp_path, "until [ -e go ]; do sleep 0.02; done; setsid sleep 60 & wait") as runner:
        ids = f"outer:{runner.mark}:inner"
        left = f"{RUN_IDS}={ids} setsid bash -c 'trap \"\" TERM; echo $$ >> pids; while :; do sleep 0.05; done' &"
        (tmp_path / "left.sh").write_text(left)
        subprocess.run(["bash", "left.sh"], cwd=tmp_path, check=True)
        (tmp_path / "go").touch()
        runner.job_pid  # noqa: B018 - the guard was told of the job
        pids = bench.pids(1)
        runner.process.kill()
        all_end(pids)


@pytest.fixture
def without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS or a BSD; `ps` itself goes on reading it here."""
    monkeypatch.setattr(descendants, "PROC", "/nonexistent")


@pytest.mark.usefixtures("without_proc")
def test_without_proc_all_of_them_end(bench: Bench) -> None:
    kinds = {**KINDS, **UNMARKED}
    job = bench.start("\n".join((*kinds.values(), "touch ready; sleep 60")), grace_period=0.4)
    pids = bench.pids(len(kinds))
    eventually((bench.folder / "ready").exists, "the command")
    job.signal(signal.SIGTERM)
    assert job.wait().status == "KILLED"
    assert [pid for pid in pids if is_running(pid)] == []


@pytest.mark.usefixtures("without_proc")
def test_without_proc_they_are_named_after_a_normal_end(bench: Bench) -> None:
    kept = f"{KEEP}=1 setsid sleep 60 & echo $! >> pids"
    command = f"setsid sleep 60 & echo $! >> pids\n{kept}\nsleep 0.3; exit 3"
    outcome = bench.start(command).wait()
    left, _ = bench.pids(2)
    assert (outcome.status, outcome.exit_code) == ("FAILED", 3)
    named = f"the command left processes running: {left} (sleep 60); --end-leftovers ends them"
    assert outcome.warnings == (named,)


@pytest.mark.usefixtures("without_proc")
def test_a_listing_with_line_breaks_in_values_is_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f"  12  1  12 S    sleep 60 A=1\n2 3 4 {RUN_IDS}=other",
        f"  13 12  13 T+   sleep {RUN_IDS}=no HOME=/h {RUN_IDS}=outer:{bench.mark} {KEEP}=1",
        f"  14 12  14 Z    (sleep) {RUN_IDS}={bench.mark}",
        "  15 12  15 Ss",
    ]
    monkeypatch.setattr(processes, "_ps", lambda *words: "\n".join(lines))
    assert list(processes.processes()) == [
        Process(12, 1, 12),
        Process(13, 12, 13, ids=("outer", bench.mark), kept=True, stopped=True),
        Process(15, 12, 15),
    ]


@pytest.mark.parametrize(
    ("caller", "ids"),
    [
        ({}, "r1"),
        ({"PROJRUN_RUN_IDS": ""}, "r1"),
        ({"PROJRUN_RUN_IDS": "outer:middle"}, "outer:middle:r1"),
        ({"PROJRUN_RUN_IDS": "outer", "PROJRUN_KEEP": "1"}, "r1"),
        ({"PROJRUN_RUN_IDS": "outer", "PROJRUN_KEEP": "0"}, "outer:r1"),
    ],
)
def test_what_a_run_starts_is_marked_as_its_own(caller: Mapping[str, str], ids: str) -> None:
    """A runner that is to be kept hands on neither the runs around it nor that it is kept."""
    assert marked({**caller, "A": "b"}, "r1") == {"A": "b", "PROJRUN_RUN_IDS": ids}


def test_process_ids_start_again(bench: Bench) -> None:
    """A short run looks at younger processes alone, where these may have smaller ids."""
    with subprocess.Popen(["sleep", "60"], env={**os.environ, RUN_IDS: bench.mark}) as child:
        eventually(lambda: Path(f"/proc/{child.pid}/cmdline").read_bytes().startswith(b"sleep"), "its start")
        assert Descendants(child.pid - 1, bench.mark).left() == [child.pid]
        assert Descendants(10**9, bench.mark).left() == [child.pid]
        assert Descendants(child.pid, bench.mark).left() == []
        child.kill()


def test_a_number_that_is_anothers_by_now_leads_nowhere() -> None:
    words = ["bash", "-c", "setsid bash -c 'echo $$; sleep 60; :' & wait"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as job:
        assert job.stdout is not None
        other = int(job.stdout.readline())
        try:
            eventually(lambda: len(Outside(job.pid, "").find()) == 2, "the shell and its child")
            assert Outside(other, "").find() == []
        finally:
            os.killpg(other, signal.SIGKILL)
            os.killpg(job.pid, signal.SIGKILL)
