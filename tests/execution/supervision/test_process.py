"""A process as a job: its end, what it leaves behind, signals from the API."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from projrun.errors import EnvironmentBuildError
from projrun.execution.protocol import Limits, Outcome
from projrun.execution.supervision import process
from projrun.execution.supervision.group import exit_descriptor
from projrun.execution.supervision.process import ProcessJob
from tests.execution.supervision.support import PYTHON, eventually, is_running, make_spec, read_pid


def start(folder: Path, command: str, grace_period: float = 5.0) -> ProcessJob:
    return ProcessJob(["bash", "-c", command], make_spec(folder, command, grace_period=grace_period))


def run(folder: Path, command: str, grace_period: float = 5.0) -> Outcome:
    return start(folder, command, grace_period).wait()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never ends by itself need not be given the usual second."""
    monkeypatch.setattr(process, "_LINGER", 0.1)


def signalled(job: ProcessJob, ready: Path, *signals: int) -> Outcome:
    """Send signals from another thread, as soon as the command has made the file `ready`."""

    def send() -> None:
        eventually(ready.exists, "the command")
        for signum in signals:
            job.signal(signum)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        return job.wait()
    finally:
        thread.join()


@pytest.mark.parametrize(
    ("command", "status", "exit_code", "reason"),
    [
        ("true", "FINISHED", 0, ""),
        ("exit 3", "FAILED", 3, "exit code 3"),
        ("kill -SEGV $$", "FAILED", 139, "killed by SIGSEGV"),
        ("bash -c 'kill -KILL $$'; exit $?", "FAILED", 137, "exit code 137: a program of the command was"),
        ("/no/such/program", "FAILED", 127, "command not found (exit code 127)"),
        (". /dev/null; /dev/null", "FAILED", 126, "found but not executable (exit code 126)"),
    ],
)
def test_how_a_command_ends(tmp_path: Path, command: str, status: str, exit_code: int, reason: str) -> None:
    outcome = run(tmp_path, command)
    assert (outcome.status, outcome.exit_code) == (status, exit_code)
    assert outcome.reason.startswith(reason)
    assert outcome.signal is None


def test_the_identifier_is_the_process_id(tmp_path: Path) -> None:
    job = start(tmp_path, "echo $$")
    assert job.wait().status == "FINISHED"
    assert (tmp_path / "output.log").read_text() == f"{job.identifier}\n"


def test_the_command_leads_a_session_of_its_own(tmp_path: Path) -> None:
    code = "import os; print(os.getsid(0) == os.getpgrp(), os.getsid(0) == os.getsid(os.getppid()))"
    run(tmp_path, f"exec {PYTHON} -c '{code}'")
    assert (tmp_path / "output.log").read_text() == "True False\n"


def test_only_the_standard_descriptors_are_inherited(tmp_path: Path) -> None:
    code = 'import os; print(sorted(fd for fd in range(256) if os.path.exists(f"/dev/fd/{fd}")))'
    run(tmp_path, f"exec {PYTHON} -c '{code}'")
    assert (tmp_path / "output.log").read_text() == "[0, 1, 2]\n"


def test_nothing_of_this_process_leaks(tmp_path: Path) -> None:
    run(tmp_path, "true")
    before, children = sorted(Path("/dev/fd").iterdir()), child_processes()
    for command in ("true", "exit 1", "echo x; echo y >&2"):
        run(tmp_path, command)
    with pytest.raises(EnvironmentBuildError):
        ProcessJob(["no-such-program"], make_spec(tmp_path, ""))
    assert sorted(Path("/dev/fd").iterdir()) == before
    assert child_processes() == children  # none is left, zombies included


def child_processes() -> set[str]:
    """The process ids of this process's children, but for the one that lists them."""
    with subprocess.Popen(["ps", "-A", "-o", "ppid=,pid="], stdout=subprocess.PIPE, text=True) as listing:
        lines = [line.split() for line in listing.communicate()[0].splitlines()]
    return {pid for parent, pid in lines if parent == str(os.getpid())} - {str(listing.pid)}


@pytest.mark.usefixtures("impatient")
def test_a_background_process_is_ended_with_the_run(tmp_path: Path) -> None:
    outcome = run(tmp_path, "sleep 60 & echo $! > pid")
    assert outcome.status == "FINISHED"
    assert outcome.warnings == ("processes that the command left running in the background were ended",)
    assert not is_running(read_pid(tmp_path / "pid"))


@pytest.mark.usefixtures("impatient")
def test_a_background_process_that_ignores_term_is_killed(tmp_path: Path) -> None:
    outcome = run(tmp_path, "(trap '' TERM; sleep 60; sleep 60) & echo $! > pid", grace_period=0.2)
    assert outcome.status == "FINISHED"
    pid = read_pid(tmp_path / "pid")
    eventually(lambda: not is_running(pid), "the end of what was sent KILL")


@pytest.mark.usefixtures("impatient")
def test_a_stopped_background_process_is_ended_too(tmp_path: Path) -> None:
    outcome = run(tmp_path, "sleep 60 & echo $! > pid; kill -STOP $!")
    assert outcome.status == "FINISHED"
    assert not is_running(read_pid(tmp_path / "pid"))


@pytest.mark.usefixtures("impatient")
def test_a_stopped_background_process_may_still_clean_up(tmp_path: Path) -> None:
    """Stopped, it would see TERM only together with KILL: it is continued."""
    stopped = "trap 'touch cleaned; exit' TERM; kill -STOP $BASHPID; while :; do sleep 0.02; done"
    outcome = run(tmp_path, f"({stopped}) & until ps -o stat= -p $! | grep -q T; do sleep 0.02; done")
    assert outcome.status == "FINISHED"
    assert (tmp_path / "cleaned").exists()


def test_what_ends_by_itself_is_waited_for(tmp_path: Path) -> None:
    outcome = run(tmp_path, "exec > >(sleep 0.3; cat); echo late")
    assert outcome == ("FINISHED", 0, "", None, (), "")
    assert (tmp_path / "output.log").read_text() == "late\n"


@pytest.mark.usefixtures("impatient")
def test_a_daemon_is_left_alone_and_not_waited_for(tmp_path: Path) -> None:
    started = time.monotonic()
    outcome = run(
        tmp_path, "setsid bash -c 'echo $$ > pid; exec sleep 60' & until [ -s pid ]; do :; done; echo said"
    )
    daemon = read_pid(tmp_path / "pid")
    try:
        assert outcome == ("FINISHED", 0, "", None, (), "")
        assert is_running(daemon)
        assert time.monotonic() - started < 15
        assert (tmp_path / "output.log").read_text() == "said\n"
    finally:
        os.kill(daemon, signal.SIGKILL)


@pytest.mark.usefixtures("impatient")
def test_a_daemon_that_never_stops_writing_does_not_hold_the_end_up(tmp_path: Path) -> None:
    outcome = run(tmp_path, "setsid bash -c 'echo $$ > pid; exec yes' & until [ -s pid ]; do :; done")
    daemon = read_pid(tmp_path / "pid")
    assert outcome.status == "FINISHED"
    eventually(lambda: not is_running(daemon), "the end of `yes`, whose pipe is closed")


def test_a_cancelled_run_may_write_its_checkpoint(tmp_path: Path) -> None:
    command = "trap 'echo saved; exit 0' TERM; touch ready; while :; do sleep 0.05; done"
    outcome = signalled(start(tmp_path, command), tmp_path / "ready", signal.SIGTERM)
    assert outcome == ("KILLED", 143, "interrupted by SIGTERM", signal.SIGTERM, (), "SIGTERM")
    assert "saved\n" in (tmp_path / "output.log").read_text()


@pytest.mark.usefixtures("impatient")
def test_a_program_outlives_its_shell_to_write_its_checkpoint(tmp_path: Path) -> None:
    # On TERM the shell dies at once; the program in the pipeline needs longer than the usual patience.
    program = (
        "trap 'sleep 0.5; echo saved > checkpoint; exit' TERM; touch ready; while :; do sleep 0.05; done"
    )
    (tmp_path / "program.sh").write_text(program)
    outcome = signalled(start(tmp_path, "bash program.sh | cat; exit 9"), tmp_path / "ready", signal.SIGTERM)
    assert outcome == ("KILLED", 143, "interrupted by SIGTERM", signal.SIGTERM, (), "SIGTERM")
    assert (tmp_path / "checkpoint").read_text() == "saved\n"


def timed(folder: Path, command: str, timeout: float, grace_period: float = 5.0) -> ProcessJob:
    limits = Limits(timeout=timeout)
    spec = make_spec(folder, command, grace_period=grace_period, limits=limits)
    return ProcessJob(["bash", "-c", command], spec)


def test_a_command_that_takes_too_long_may_write_its_checkpoint(tmp_path: Path) -> None:
    command = "trap 'echo saved; exit 0' TERM; while :; do sleep 0.05; done"
    outcome = timed(tmp_path, command, 0.3).wait()
    assert outcome == ("FAILED", 124, "timed out after 0.3 s", None, (), "timeout")
    assert "saved\n" in (tmp_path / "output.log").read_text()


@pytest.mark.parametrize("command", ["trap '' TERM; while :; do sleep 0.05; done", "kill -STOP $$"])
def test_a_command_that_takes_too_long_is_killed_after_the_grace_period(tmp_path: Path, command: str) -> None:
    started = time.monotonic()
    outcome = timed(tmp_path, f"sleep 60 & echo $! > pid; {command}", 0.2, grace_period=0.3).wait()
    assert (outcome.status, outcome.exit_code, outcome.cause) == ("FAILED", 124, "timeout")
    assert time.monotonic() - started >= 0.2
    assert not is_running(read_pid(tmp_path / "pid"))


def test_a_command_that_ends_in_time_does_not_time_out(tmp_path: Path) -> None:
    assert timed(tmp_path, "sleep 0.05; exit 3", 30).wait() == ("FAILED", 3, "exit code 3", None, (), "")
    # Longer than poll(2) can wait.
    assert timed(tmp_path, "sleep 0.05", 1e9).wait().status == "FINISHED"


def test_who_interrupts_before_the_timeout_is_why_it_ends(tmp_path: Path) -> None:
    job = timed(tmp_path, "trap '' INT; touch ready; while :; do sleep 0.05; done", 0.6)
    outcome = signalled(job, tmp_path / "ready", signal.SIGINT)
    assert outcome == ("KILLED", 130, "interrupted by SIGINT", signal.SIGINT, (), "SIGINT")


def test_after_the_grace_period_comes_kill(tmp_path: Path) -> None:
    command = "trap '' TERM; touch ready; while :; do sleep 0.05; done"
    started = time.monotonic()
    outcome = signalled(start(tmp_path, command, 0.5), tmp_path / "ready", signal.SIGTERM)
    assert outcome == ("KILLED", 143, "interrupted by SIGTERM", signal.SIGTERM, (), "SIGTERM")
    assert time.monotonic() - started >= 0.5


def test_int_gives_all_the_time_that_it_takes(tmp_path: Path) -> None:
    command = "trap 'sleep 0.4; echo saved; exit 0' INT; touch ready; while :; do sleep 0.05; done"
    outcome = signalled(start(tmp_path, command, 0.1), tmp_path / "ready", signal.SIGINT)
    assert outcome == ("KILLED", 130, "interrupted by SIGINT", signal.SIGINT, (), "SIGINT")
    assert (tmp_path / "output.log").read_text() == "saved\n"


def test_a_signal_after_the_end_is_no_error(tmp_path: Path) -> None:
    job = start(tmp_path, "true")
    job.wait()
    job.signal(signal.SIGTERM)


def test_a_keyboard_interrupt_in_the_api_is_passed_on(tmp_path: Path) -> None:
    """Without signal handlers of ours, Ctrl-C raises KeyboardInterrupt inside wait()."""
    job = start(tmp_path, "trap 'echo one' INT; echo ready; while :; do sleep 0.05; done")
    log = tmp_path / "output.log"

    def press_twice() -> None:
        eventually(lambda: "ready" in log.read_text(), "wait() to forward output")
        os.kill(os.getpid(), signal.SIGINT)
        eventually(lambda: "one" in log.read_text(), "the first INT")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press_twice)
    thread.start()
    outcome = job.wait()
    thread.join()
    assert outcome == ("KILLED", 130, "interrupted by SIGINT", signal.SIGINT, (), "SIGINT")


def test_a_bug_in_the_supervision_does_not_leave_the_command_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start(tmp_path, "sleep 60 & echo $! > pid; wait")
    pid = read_pid(tmp_path / "pid")
    monkeypatch.setattr(job, "_settle", None)
    os.kill(int(job.identifier), signal.SIGKILL)
    with pytest.raises(TypeError):
        job.wait()
    eventually(lambda: not is_running(pid), "the end of the group")


def test_it_works_where_the_system_has_no_process_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    assert run(tmp_path, "exec >&- 2>&-; sleep 0.2; exit 4").exit_code == 4
    assert exit_descriptor(os.getpid()) is None
