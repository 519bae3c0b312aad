"""Signals to the runner: passed on as they are, escalated when repeated; a build is interrupted."""

from __future__ import annotations

import os
import pty
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from projrun.execution.protocol import Job, Limits, Outcome
from projrun.execution.supervision import signals
from projrun.execution.supervision.process import ProcessJob
from projrun.execution.supervision.signals import Interrupted, SignalRelay, escalated
from tests.execution.supervision.support import (
    PYTHON,
    Runner,
    eventually,
    is_running,
    make_spec,
    process_state,
    read_pid,
)

pytestmark = pytest.mark.processes

INT, TERM, KILL, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP
USR1, USR2, TSTP, CONT = signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGCONT

SCRIPT = """\
import pathlib, signal, sys, time
{setup}
try:
    pathlib.Path("ready").touch()
    for _ in range(1200):  # a signal just before one long sleep would be handled after it
        time.sleep(0.05)
finally:
    pathlib.Path("checkpoint").touch()
    print("checkpoint", flush=True)
"""

COUNTING = """\
seen = []
def note(signum, frame):
    seen.append(signal.Signals(signum).name)
    pathlib.Path("seen").write_text(" ".join(seen))
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"):
    signal.signal(getattr(signal, name), note)
"""


def script(folder: Path, setup: str = "") -> str:
    """A training script in Python that takes its time, and leaves a checkpoint in its `finally`."""
    (folder / "train.py").write_text(SCRIPT.format(setup=setup))
    return f"{PYTHON} -S train.py"


def seen(folder: Path, expected: str) -> None:
    """Wait until the script has seen exactly these signals."""
    file = folder / "seen"
    eventually(lambda: file.exists() and file.read_text() == expected, f"the signals {expected}")


def killed_by(signum: int) -> Outcome:
    name = signal.Signals(signum).name
    return Outcome("KILLED", 128 + signum, f"interrupted by {name}", signum, cause=name)


@pytest.mark.parametrize(
    ("signum", "earlier", "passed"),
    [
        (INT, [], INT),
        (INT, [INT], TERM),
        (INT, [INT, TERM], KILL),
        (INT, [TERM], INT),
        (INT, [TERM, INT], KILL),
        (INT, [USR1, HUP], INT),
        (TERM, [TERM], TERM),
        (USR1, [INT], USR1),
    ],
)
def test_what_a_repeated_ctrl_c_becomes(signum: int, earlier: list[int], passed: int) -> None:
    assert escalated(signum, earlier) == passed


def test_ctrl_c_lets_a_scripts_finally_run(tmp_path: Path) -> None:
    with Runner(tmp_path, script(tmp_path)) as runner:
        runner.created("ready")
        runner.send(INT)
        stdout, stderr = runner.finish()
        assert runner.outcome() == killed_by(INT)
    assert (tmp_path / "checkpoint").exists()
    assert stdout == b"checkpoint\n"
    assert b"KeyboardInterrupt" in stderr


@pytest.mark.parametrize("command", ["{}", "true && {}; exit 0", "{} | cat"])
def test_ctrl_c_under_any_shape_of_command(tmp_path: Path, command: str) -> None:
    with Runner(tmp_path, command.format(script(tmp_path))) as runner:
        runner.created("ready")
        runner.send(INT)
        assert runner.outcome() == killed_by(INT)
    assert (tmp_path / "checkpoint").exists()


def test_a_second_ctrl_c_is_term_and_a_third_is_kill(tmp_path: Path) -> None:
    with Runner(tmp_path, script(tmp_path, COUNTING), grace_period=60) as runner:
        runner.created("ready")
        for expected in ("SIGINT", "SIGINT SIGTERM"):
            runner.send(INT)
            seen(tmp_path, expected)
        runner.send(INT)
        assert runner.outcome() == killed_by(INT)


def test_a_second_ctrl_c_starts_the_grace_period(tmp_path: Path) -> None:
    with Runner(tmp_path, script(tmp_path, COUNTING), grace_period=0.3) as runner:
        runner.created("ready")
        runner.send(INT)
        seen(tmp_path, "SIGINT")
        time.sleep(0.5)
        assert runner.process.poll() is None, "the first Ctrl-C gives all the time that it takes"
        runner.send(INT)
        assert runner.outcome() == killed_by(INT)


def test_term_and_kill_after_the_grace_period(tmp_path: Path) -> None:
    with Runner(tmp_path, script(tmp_path, COUNTING), grace_period=0.3) as runner:
        runner.created("ready")
        runner.send(TERM)
        seen(tmp_path, "SIGTERM")
        assert runner.outcome() == killed_by(TERM)


@pytest.mark.parametrize("signum", [HUP, USR1, USR2])
def test_other_signals_are_passed_on_and_end_nothing_by_themselves(
    tmp_path: Path, signum: signal.Signals
) -> None:
    with Runner(tmp_path, script(tmp_path, COUNTING)) as runner:
        runner.created("ready")
        runner.send(signum)
        seen(tmp_path, signum.name)
        time.sleep(0.1)
        assert runner.process.poll() is None


def test_a_program_keeps_running_where_the_signal_ends_only_its_shell(tmp_path: Path) -> None:
    """A cluster sends USR1 as a warning; bash dies of it, the program that handles it does not."""
    setup = "signal.signal(signal.SIGUSR1, lambda *_: (time.sleep(1.5), sys.exit(0)))"
    with Runner(tmp_path, f"{script(tmp_path, setup)}; exit 0") as runner:
        runner.created("ready")
        runner.send(USR1)
        assert runner.outcome() == killed_by(USR1)
    assert (tmp_path / "checkpoint").exists()


def test_the_terminal_going_away_ends_the_job(tmp_path: Path) -> None:
    with Runner(tmp_path, "echo $$ > pid; exec sleep 60") as runner:
        pid = read_pid(tmp_path / "pid")
        runner.send(HUP)
        assert runner.outcome() == killed_by(HUP)
    assert not is_running(pid)


def test_nohup_is_respected(tmp_path: Path) -> None:
    with Runner(tmp_path, "touch ready; until [ -e go ]; do sleep 0.02; done", wrapper=("nohup",)) as runner:
        runner.created("ready")
        runner.send(HUP)
        time.sleep(0.1)
        (tmp_path / "go").touch()
        assert runner.outcome().status == "FINISHED"


def test_exit_codes_survive_a_parent_that_ignores_its_children(tmp_path: Path) -> None:
    ignoring = "signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])"
    wrapper = (PYTHON, "-c", f"import os, signal, sys; {ignoring}")
    with Runner(tmp_path, "exit 7", wrapper=wrapper) as runner:
        assert runner.outcome().exit_code == 7


@pytest.mark.parametrize("signum", [INT, TERM, HUP])
def test_a_build_is_interrupted(tmp_path: Path, signum: signal.Signals) -> None:
    with Runner(tmp_path, "touch started", builds=True) as runner:
        runner.created("building")
        runner.send(signum)
        assert runner.outcome() == killed_by(signum)
    assert not (tmp_path / "started").exists()


def test_a_build_is_not_ended_by_a_clusters_warning(tmp_path: Path) -> None:
    with Runner(tmp_path, "true", builds=True) as runner:
        runner.created("building")
        runner.send(USR1)
        time.sleep(0.1)
        assert runner.process.poll() is None


# Stopping and going on.


JOB_CONTROL = """\
import os, subprocess, sys
leads_a_group = "import os, sys; os.setpgid(0, 0); os.execvp(sys.argv[1], sys.argv[1:])"
runner = subprocess.Popen([sys.executable, "-c", leads_a_group, *sys.argv[2:]])
with open(sys.argv[1], "w") as file:
    file.write(f"{runner.pid}\\n")
sys.exit(runner.wait())
"""


def test_ctrl_z_stops_the_job_and_the_runner_and_both_go_on(tmp_path: Path) -> None:
    # As under a shell with job control: a parent in the same session keeps the group from being orphaned.
    pid_file = tmp_path / "runner-pid"
    wrapper = (PYTHON, "-c", JOB_CONTROL, str(pid_file))
    with Runner(
        tmp_path, "touch ready; until [ -e go ]; do sleep 0.02; done; exit 3", wrapper=wrapper
    ) as runner:
        runner_pid = read_pid(pid_file)
        runner.created("ready")
        job = runner.job_pid
        try:
            for _ in range(2):
                os.kill(runner_pid, TSTP)
                eventually(lambda: process_state(runner_pid) == "T", "the runner to stop")
                eventually(lambda: process_state(job) == "T", "the job to stop")
                os.kill(runner_pid, CONT)
                eventually(lambda: process_state(job) != "T", "the job to go on")
            (tmp_path / "go").touch()
            assert runner.outcome().exit_code == 3
        finally:
            if is_running(runner_pid):
                os.kill(runner_pid, KILL)


def test_where_nobody_could_resume_it_nothing_stays_stopped(tmp_path: Path) -> None:
    command = "touch ready; until [ -e go ]; do sleep 0.02; done"
    with Runner(tmp_path, command, wrapper=("setsid",)) as runner:
        runner.created("ready")
        runner.send(TSTP)
        time.sleep(0.1)
        (tmp_path / "go").touch()
        assert runner.outcome().status == "FINISHED"


# A real terminal.


@contextmanager
def terminal(folder: Path, command: str) -> Iterator[tuple[Runner, int]]:
    """A runner in the foreground of a terminal of its own, and the keyboard's end of that terminal."""
    keyboard, screen = pty.openpty()
    wrapper = (PYTHON, str(Path(__file__).with_name("terminal.py")))
    try:
        with Runner(folder, command, stdin=screen, stdout=screen, stderr=screen, wrapper=wrapper) as runner:
            os.close(screen)
            yield runner, keyboard
    finally:
        os.close(keyboard)


def shown(keyboard: int, expected: bytes) -> None:
    """Read the screen until `expected` is on it."""
    text = b""
    while expected not in text:
        text += os.read(keyboard, 1000)


def test_ctrl_c_at_a_terminal(tmp_path: Path) -> None:
    with terminal(tmp_path, script(tmp_path)) as (runner, keyboard):
        runner.created("ready")
        os.write(keyboard, b"\x03")
        shown(keyboard, b"checkpoint")
        assert runner.outcome() == killed_by(INT)


def test_a_question_at_a_terminal_is_answered(tmp_path: Path) -> None:
    code = 'print("isatty", __import__("os").isatty(0)); print("hello", input("name? "))'
    with terminal(tmp_path, f"{PYTHON} -c '{code}'") as (runner, keyboard):
        shown(keyboard, b"isatty True\r\nname? ")
        os.write(keyboard, b"Ada\n")
        shown(keyboard, b"hello Ada\r\n")
        assert runner.outcome().status == "FINISHED"


def test_one_terminal_for_both_streams_keeps_their_order(tmp_path: Path) -> None:
    with terminal(tmp_path, "for i in 1 2 3; do echo out$i; echo err$i >&2; done") as (runner, keyboard):
        shown(keyboard, b"out1\r\nerr1\r\nout2\r\nerr2\r\nout3\r\nerr3\r\n")
        assert runner.outcome().status == "FINISHED"


def test_a_terminal_that_was_closed_does_not_lose_the_log(tmp_path: Path) -> None:
    command = "trap '' HUP; touch ready; until [ -e go ]; do sleep 0.02; done; echo still here"
    keyboard, screen = pty.openpty()
    with Runner(tmp_path, command, stdout=screen, stderr=screen) as runner:
        os.close(screen)
        runner.created("ready")
        os.close(keyboard)
        (tmp_path / "go").touch()
        assert runner.outcome() == Outcome("FINISHED", 0)
    assert runner.log_file.read_bytes() == b"still here\n"


# The relay by itself, in this process.


class RecordingJob:
    """What the relay needs of a job."""

    def __init__(self) -> None:
        self.received: list[int] = []

    def signal(self, signum: int) -> None:
        self.received.append(signum)

    def wait(self) -> Outcome:
        return Outcome("FINISHED", 0)

    def poll(self) -> Outcome:
        return self.wait()

    def logs(self, offset: int) -> bytes:
        return b""


def press(*given: int) -> None:
    for signum in given:
        signal.raise_signal(signum)


def test_without_a_job_a_signal_interrupts() -> None:
    with SignalRelay(), pytest.raises(Interrupted) as raised:
        press(TERM)
    assert (raised.value.signum, raised.value.exit_code) == (TERM, 143)
    assert raised.value.outcome == killed_by(TERM)
    assert str(raised.value) == "interrupted by SIGTERM"


def test_what_a_job_that_was_ending_was_sent_is_known_until_the_next_one() -> None:
    seen = []
    with SignalRelay() as relay:
        for signals in ([USR1], [USR1, INT], []):
            with relay.attached(RecordingJob()):
                press(*signals)
            seen.append(relay.has_interrupted)
    assert seen == [False, True, False]


def test_without_a_job_other_signals_are_dropped() -> None:
    with SignalRelay():
        press(USR1, USR2, CONT)


def test_with_a_job_signals_are_relayed_until_it_is_detached() -> None:
    job = RecordingJob()
    with SignalRelay() as relay:
        with relay.attached(job):
            press(INT, USR1, INT, INT, HUP)
        assert job.received == [INT, USR1, TERM, KILL, HUP]
        with pytest.raises(Interrupted):
            press(INT)


def test_a_signal_that_comes_while_one_is_passed_on_follows_it() -> None:
    """As where a window is closed: the shell and the kernel send HUP. The job may be importing what it needs."""

    class Interrupting(RecordingJob):
        depth = 0

        def signal(self, signum: int) -> None:
            self.depth += 1
            assert self.depth == 1
            super().signal(signum)
            if len(self.received) < 3:
                press(HUP)
            self.depth -= 1

    job = Interrupting()
    with SignalRelay() as relay, relay.attached(job):
        press(HUP)
        press(USR1)
    assert job.received == [HUP, HUP, HUP, USR1]


def test_a_signal_within_an_import_of_the_job_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler needs the same module, of which only half would be there."""

    class Finder:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == inner and not seen:
                seen.append(name)
                press(TERM)

    seen: list[str] = []
    outer, inner = (f"projrun.execution.supervision.{name}" for name in ("outside", "processes"))
    for name in (outer, inner):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    spec = make_spec(tmp_path, "", limits=Limits(timeout=0.05))
    with SignalRelay() as relay, relay.attached(ProcessJob(["sleep", "60"], spec)) as job:
        assert job.wait().reason == "timed out after 0.05 s"
    assert seen


def test_every_job_starts_with_int_again() -> None:
    first, second = RecordingJob(), RecordingJob()
    with SignalRelay() as relay:
        for job in (first, second):
            with relay.attached(job):
                press(INT)
    assert first.received == second.received == [INT]


def test_a_signal_during_the_launch_reaches_the_job() -> None:
    def start() -> Job:
        press(USR1, INT)
        return job

    job = RecordingJob()
    with SignalRelay() as relay, relay.attached(relay.launch(start)):
        press(INT)
    assert job.received == [USR1, INT, TERM]


def test_a_signal_during_a_launch_that_fails_interrupts() -> None:
    def fail() -> Job:
        press(USR1, TERM)
        raise ValueError

    with SignalRelay() as relay:
        with pytest.raises(Interrupted, match="SIGTERM"):
            relay.launch(fail)
        with pytest.raises(Interrupted):
            press(INT)


def test_a_launch_that_fails_by_itself_fails_as_it_did() -> None:
    def fail() -> Job:
        press(USR1)
        raise ValueError("no bash")

    with SignalRelay() as relay, pytest.raises(ValueError, match="no bash"):
        relay.launch(fail)


@pytest.mark.parametrize("stuck", ["submit", "wait", "signal"])
def test_a_backend_that_never_returns_is_given_up(stuck: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_PATIENCE", 0.1)

    class StuckJob(RecordingJob):
        def signal(self, signum: int) -> None:
            super().signal(signum)
            if stuck == "signal":
                hammer()

        def wait(self) -> Outcome:
            return hammer()

    def hammer() -> Outcome:
        for _ in range(200):
            time.sleep(0.05)
            press(INT)
        return Outcome("FINISHED", 0)

    def start() -> Job:
        if stuck == "submit":
            hammer()
        return job

    job = StuckJob()
    with (
        SignalRelay() as relay,
        pytest.raises(Interrupted, match="SIGINT"),
        relay.attached(relay.launch(start)),
    ):
        job.wait()
    # What is stuck in `signal` is not called again from within itself.
    assert job.received[:3] == {"submit": [], "wait": [INT, TERM, KILL], "signal": [INT]}[stuck]
    assert len(job.received) < 20


def test_haste_gives_up_nothing() -> None:
    job = RecordingJob()
    with SignalRelay() as relay, relay.attached(job):
        press(*[INT] * 20)
    assert job.received == [INT, TERM, *[KILL] * 18]


def test_a_shielded_block_is_finished_before_the_signal_is_raised() -> None:
    with SignalRelay() as relay:
        with relay.shielded():
            press(TERM)
        with pytest.raises(Interrupted, match="SIGTERM"):
            relay.raise_waiting()
        relay.raise_waiting()


def test_a_second_signal_breaks_a_shielded_block() -> None:
    with SignalRelay() as relay, pytest.raises(Interrupted, match="SIGINT"), relay.shielded():
        press(TERM, INT)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(signum) for signum in signal.valid_signals()]
    with SignalRelay():
        assert signal.getsignal(TERM) != signal.SIG_DFL
    assert [signal.getsignal(signum) for signum in signal.valid_signals()] == before


def test_two_signals_at_once_are_not_missed(tmp_path: Path) -> None:
    """The kernel gives one of them to another thread, so that neither ends the wait of the main one."""
    with Runner(tmp_path, "touch ready; sleep 60") as runner:
        runner.created("ready")
        runner.job_pid  # noqa: B018 - it waits for the job
        time.sleep(0.2)
        started = time.monotonic()
        runner.send(signal.SIGTERM)
        runner.send(signal.SIGCONT)
        assert runner.outcome().status == "KILLED"
        assert time.monotonic() - started < 15
