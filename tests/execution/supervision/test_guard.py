"""The guard: a runner that is killed takes its run along, and a run that ends leaves no guard."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from projrun.execution.supervision.guard import Guard
from tests.execution.supervision.support import Runner, eventually, is_running, process_state, read_pid

pytestmark = pytest.mark.processes


def sleeper(*words: str) -> subprocess.Popen[bytes]:
    """A process that leads a group of its own."""
    return subprocess.Popen(words or ("sleep", "60"), start_new_session=True)


def guard_of(runner: Runner) -> int:
    """The guard of a runner that has started its job: its other child."""
    job = runner.job_pid
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    rows = [(int(pid), int(parent)) for pid, parent in map(str.split, listing.stdout.splitlines())]
    (guard,) = (pid for pid, parent in rows if parent == runner.process.pid and pid != job)
    return guard


@pytest.mark.parametrize("seed", range(10))
def test_a_runner_killed_at_any_moment_takes_its_run_along(tmp_path: Path, seed: int) -> None:
    # The tree: a shell, a child of it that ignores HUP, and a grandchild in the background.
    command = "trap '' HUP; (sleep 60 & echo $! >> pids; sleep 60) & echo $! >> pids; echo $$ >> pids; yes"
    with Runner(tmp_path, command, stdout=subprocess.DEVNULL) as runner:
        group = runner.job_pid
        time.sleep(random.Random(seed).uniform(0, 0.1))
        runner.process.kill()
        runner.process.wait()
        eventually(lambda: not is_running(group), "the end of the shell")
    pids = tmp_path / "pids"
    for line in pids.read_text().split() if pids.exists() else ():
        eventually(lambda pid=int(line): not is_running(pid), f"the end of process {line}")  # type: ignore[misc]


def test_what_ignores_term_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    command = "exec 2> stderr; trap 'echo TERM > termed' TERM; touch ready; while :; do sleep 0.05; done"
    with Runner(tmp_path, command, grace_period=0.3, stdout=subprocess.DEVNULL) as runner:
        runner.created("ready")
        job = runner.job_pid
        runner.process.kill()
        eventually(lambda: not is_running(job), "the end of the job")
    assert (tmp_path / "termed").exists()


def test_a_stopped_job_is_ended_too(tmp_path: Path) -> None:
    with Runner(tmp_path, "echo $$ > pid; kill -STOP $$") as runner:
        pid = read_pid(tmp_path / "pid")
        eventually(lambda: process_state(pid) == "T", "the job to stop itself")
        runner.job_pid  # noqa: B018 - the guard was told of the job
        runner.process.kill()
        eventually(lambda: not is_running(pid), "the end of the job")


def test_a_stopped_job_of_a_killed_runner_may_still_clean_up(tmp_path: Path) -> None:
    """Stopped, it would see TERM only together with KILL: the guard continues it."""
    command = "trap 'touch cleaned; exit' TERM; echo $$ > pid; kill -STOP $$; while :; do sleep 0.02; done"
    with Runner(tmp_path, command) as runner:
        pid = read_pid(tmp_path / "pid")
        eventually(lambda: process_state(pid) == "T", "the job to stop itself")
        runner.job_pid  # noqa: B018 - the guard was told of the job
        runner.process.kill()
        eventually(lambda: not is_running(pid), "the end of the job")
    assert (tmp_path / "cleaned").exists()


def test_the_guard_is_gone_when_the_job_is(tmp_path: Path) -> None:
    with Runner(tmp_path, "until [ -e go ]; do sleep 0.02; done") as runner:
        guard = guard_of(runner)
        (tmp_path / "go").touch()
        assert runner.outcome().status == "FINISHED"
        assert process_state(guard) == "X"


def test_the_guard_of_a_killed_runner_is_gone_when_its_job_is(tmp_path: Path) -> None:
    with Runner(tmp_path, "exec sleep 60") as runner:
        guard = guard_of(runner)
        runner.process.kill()
        eventually(lambda: not is_running(guard), "the end of the guard")
        eventually(lambda: not is_running(runner.job_pid), "the end of the job")


def test_the_guard_holds_none_of_the_users_pipes(tmp_path: Path) -> None:
    with Runner(tmp_path, "exec sleep 60") as runner:
        runner.job_pid  # noqa: B018 - wait for the start
        runner.process.kill()
        stdout, _ = runner.finish()  # ends when the last writer of the pipes is gone
        assert stdout == b""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_guard_has_only_its_pipe_and_its_own_session(tmp_path: Path) -> None:
    process = sleeper()
    guard = Guard(1)
    guard.watch(process.pid)
    try:
        descriptors = Path(f"/proc/{guard.pid}/fd")
        script = f"/proc/{guard.pid}/cmdline"
        eventually(lambda: b"projrun-guard" in Path(script).read_bytes(), "the guard's exec")
        # The shell may still be opening files of its own: what it holds once it reads is what counts.
        eventually(lambda: process_state(guard.pid) == "S", "the guard to wait")
        targets = {entry.name: str(entry.readlink()) for entry in descriptors.iterdir()}
        assert targets.pop("0").startswith("pipe:")
        assert targets == {"1": "/dev/null", "2": "/dev/null"}
        assert os.getsid(guard.pid) == guard.pid
        assert Path(f"/proc/{guard.pid}/cwd").readlink() == Path("/")
    finally:
        guard.release()
        assert process.poll() is None, "release() must leave the group alone"
        process.kill()
        process.wait()


def ignores(guard: Guard) -> bool:
    """Whether the guard has got as far as ignoring signals: SigIgn of proc(5)."""
    status = Path(f"/proc/{guard.pid}/status").read_text()
    ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
    return bool(ignored >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_guard_ignores_what_is_meant_for_others(signum: signal.Signals) -> None:
    guard = Guard(1)
    try:
        eventually(lambda: ignores(guard), "the guard")
        os.kill(guard.pid, signum)
        time.sleep(0.05)
        assert is_running(guard.pid)
    finally:
        guard.release()


def test_the_runner_survives_a_killed_guard(tmp_path: Path) -> None:
    with Runner(tmp_path, "until [ -e go ]; do sleep 0.02; done; echo fine") as runner:
        guard = guard_of(runner)
        os.kill(guard, signal.SIGKILL)
        (tmp_path / "go").touch()
        assert runner.outcome() == ("FINISHED", 0, "", None, (), "")


def test_a_guard_that_is_gone_before_it_is_told() -> None:
    guard = Guard(1)
    os.kill(guard.pid, signal.SIGKILL)
    eventually(lambda: process_state(guard.pid) in "ZX", "the end of the guard")
    guard.watch(1_000_000)
    guard.release()


def test_a_runner_that_dies_before_its_child_starts_leaves_no_guard(tmp_path: Path) -> None:
    code = (
        "import os\nfrom projrun.execution.supervision.guard import Guard\n"
        "print(Guard(5).pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    guard = int(done.stdout)
    eventually(lambda: not is_running(guard), "the end of the guard")


END = ("/bin/sh", "-c", 'echo "$1 $DOCKER_HOST $HOME" >> "$0"')


def test_what_killing_the_group_does_not_end_is_ended_after_it(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    code = (
        "import os, subprocess, sys\nfrom projrun.execution.supervision.guard import Guard\n"
        "process = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "guard = Guard(5, sys.argv[1:], {'DOCKER_HOST': 'here'})\n"
        "guard.watch(process.pid)\nprint(process.pid, guard.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    words = [sys.executable, "-c", code, *END, str(ended), "a 'b' $c"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    group, guard = map(int, done.stdout.split())
    eventually(ended.exists, "the end command")
    assert not is_running(group)
    eventually(lambda: not is_running(guard), "the end of the guard")
    assert ended.read_text() == "a 'b' $c here \n" * 2, "twice: what was asked for last may come late"


def test_the_guard_sweeps_again_for_what_comes_late(tmp_path: Path) -> None:
    """A daemon may still start what the group asked for at the end: `late` appears after the first sweep."""
    late = "if [ ! -e first ]; then (sleep 0.5; touch late was_late) & fi"
    (tmp_path / "sweep").write_text(f"cd {tmp_path}\nrm -f late\n{late}\ntouch first\n")
    code = (
        "import os, sys\nfrom projrun.execution.supervision.guard import Guard\n"
        "print(Guard(5, ['/bin/sh', sys.argv[1]]).pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "sweep")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    eventually((tmp_path / "was_late").exists, "what comes late")
    eventually(lambda: not is_running(int(done.stdout)), "the end of the guard")
    assert not (tmp_path / "late").exists()


def test_a_released_guard_runs_no_end_command(tmp_path: Path) -> None:
    process = sleeper()
    guard = Guard(5, (*END, str(tmp_path / "ended"), "x"))
    guard.watch(process.pid)
    guard.release()
    process.kill()
    process.wait()
    assert not (tmp_path / "ended").exists()
