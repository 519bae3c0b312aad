"""A job's terminal: what replaces what, what reaches the log, and what becomes of it when its runner dies."""

from __future__ import annotations

import os
import pty
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.execution.protocol import Outcome
from projrun.execution.supervision.keyboard import Keyboard
from projrun.execution.supervision.terminal import Terminal
from projrun.execution.supervision.transcript import Transcript
from tests.execution.supervision.support import PYTHON, Runner, eventually, is_running, make_spec

pytestmark = pytest.mark.processes


@contextmanager
def on_terminal(folder: Path, command: str, **streams: Any) -> Iterator[tuple[Runner, int]]:
    """A runner in the foreground of a terminal of its own, and the keyboard's end of that."""
    keyboard, screen = pty.openpty()
    wrapper = (PYTHON, "-S", str(Path(__file__).with_name("terminal.py")))
    own = {"stdin": screen, "stdout": screen, "stderr": screen, **streams}
    try:
        with Runner(folder, command, terminal=True, wrapper=wrapper, **own) as runner:
            os.close(screen)
            yield runner, keyboard
    finally:
        os.close(keyboard)


def screen_of(keyboard: int) -> bytes:
    """All that is shown, up to the end."""
    shown = b""
    while True:
        try:
            chunk = os.read(keyboard, 65536)
        except OSError:  # Linux: EIO where nobody has it open any more
            return shown
        if not chunk:
            return shown
        shown += chunk


def shown(keyboard: int, expected: bytes) -> None:
    """Read the screen until `expected` is on it."""
    text = b""
    while expected not in text:
        text += os.read(keyboard, 1000)


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"])), st.lists(st.integers(1, 3)))
def test_the_log_gets_the_newlines_that_the_program_wrote(parts: list[bytes], sizes: list[int]) -> None:
    written = b"".join(parts)
    seen = written.replace(b"\n", b"\r\n")  # ONLCR, termios(3)
    transcript, log, screen, left = Transcript(lambda: True), b"", b"", seen
    for size in [*sizes, len(seen)]:
        shown, logged = transcript.feed(left[:size])
        screen, log, left = screen + shown, log + logged, left[size:]
    end, rest = transcript.close()
    assert log + rest == written
    assert screen == seen
    assert end == (b"\n" if written.endswith(b"a") else b"")


def test_a_terminal_that_is_not_raw_makes_the_newlines_itself() -> None:
    assert Transcript(lambda: False).feed(b"one\r\ntwo\r\n")[0] == b"one\ntwo\n"


def test_the_log_and_the_screen(tmp_path: Path) -> None:
    with on_terminal(tmp_path, "echo one; echo two >&2; test -t 0 && test -t 1 && test -t 2") as (
        runner,
        keyboard,
    ):
        assert screen_of(keyboard) == b"one\r\ntwo\r\n"
        assert runner.outcome() == Outcome("FINISHED", 0)
    assert runner.log_file.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("half a line", "half a line\r\n"),
        ("shown\\n\\e[?25h", "shown\r\n\x1b[?25h"),
        ("bar\\r", "bar\r"),
        ("", ""),
    ],
)
def test_what_the_runner_says_next_starts_a_line(tmp_path: Path, words: str, expected: str) -> None:
    with on_terminal(tmp_path, f"printf '{words}'") as (runner, keyboard):
        assert screen_of(keyboard).decode() == expected
        assert runner.outcome().status == "FINISHED"
    assert b"\r\n" not in runner.log_file.read_bytes()


@pytest.mark.parametrize(
    ("name", "value", "also"),
    [
        ("A.b", "1", {}),
        ("BASH_FUNC_greet%%", "() {  echo hi\n}", {}),
        ("A.b", "1", {"BASH_ENV": "/dev/null"}),
    ],
)
def test_every_variable_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, also: dict[str, str]
) -> None:
    for one, text in {name: value, **also}.items():
        monkeypatch.setenv(one, text)
    code = f'import os; print(os.environ["{name}"] == {value!r})'
    (tmp_path / "show.py").write_text(code)
    with on_terminal(tmp_path, f"exec {PYTHON} -S show.py") as (runner, keyboard):
        assert screen_of(keyboard) == b"True\r\n"
        assert runner.outcome().status == "FINISHED"


def test_a_long_paste_waits_for_a_job_that_reads_late(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(2000))
    with on_terminal(tmp_path, "stty -echo; touch ready; sleep 0.5; cat > pasted") as (runner, keyboard):
        runner.created("ready")
        os.set_blocking(keyboard, False)
        left = text.encode() + b"\x04"
        while left:
            try:
                left = left[os.write(keyboard, left) :]
            except BlockingIOError:
                eventually(lambda: True, "the job")
        os.set_blocking(keyboard, True)
        assert runner.outcome().status == "FINISHED"
    assert (tmp_path / "pasted").read_text() == text


def test_the_job_of_a_killed_runner_writes_its_checkpoint_and_much_else(tmp_path: Path) -> None:
    command = "trap 'seq 50000; touch checkpoint; exit' TERM; touch ready; while :; do sleep 0.02; done"
    with on_terminal(tmp_path, command, grace_period=20.0) as (runner, _):
        runner.created("ready")
        job = runner.job_pid
        runner.process.kill()
        runner.created("checkpoint")
        eventually(lambda: not is_running(job), "the end of the job")


def test_its_terminal_may_be_closed_and_opened_again(tmp_path: Path) -> None:
    command = "exec <&- >&- 2>&-; sleep 0.1; echo again >/dev/tty"
    with on_terminal(tmp_path, command) as (runner, keyboard):
        assert screen_of(keyboard) == b"again\r\n"
        assert runner.outcome().status == "FINISHED"


def test_a_terminal_that_is_not_the_runners_own_shows_output_only(tmp_path: Path) -> None:
    keyboard, screen = pty.openpty()
    command = "test -t 1 && test -t 2 && ! test -t 0 && ! : 2>/dev/null </dev/tty && echo so it is"
    with Runner(tmp_path, command, terminal=True, stdout=screen, stderr=screen) as runner:
        os.close(screen)
        shown(keyboard, b"so it is\r\n")
        assert runner.outcome().status == "FINISHED"
    os.close(keyboard)


def test_one_that_is_hung_up_does_not_lose_the_log(tmp_path: Path) -> None:
    command = "trap termed=1 TERM; touch ready; until [ $termed ]; do sleep 0.02; done; echo still here"
    keyboard, screen = pty.openpty()
    wrapper = (PYTHON, "-S", str(Path(__file__).with_name("terminal.py")))
    with Runner(
        tmp_path, command, terminal=True, wrapper=wrapper, stdin=screen, stdout=screen, stderr=screen
    ) as runner:
        os.close(screen)
        runner.created("ready")
        os.close(keyboard)
        assert runner.outcome().exit_code == 129
    assert runner.log_file.read_bytes().endswith(b"still here\n")


def test_what_the_main_process_leaves_may_finish(tmp_path: Path) -> None:
    with on_terminal(tmp_path, f"exec {PYTHON} -S -c 'print(1)' > >(sleep 0.2; tee log)") as (
        runner,
        keyboard,
    ):
        assert screen_of(keyboard) == b"1\r\n"
        assert runner.outcome() == Outcome("FINISHED", 0)
    assert (tmp_path / "log").read_text() == "1\n"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """One whose keyboard is not this process's own terminal."""
    master, slave = pty.openpty()
    terminal = Terminal([0, 1, 2], Keyboard(slave, os.ttyname(slave), shared=False), passes_keys=False)
    yield terminal
    terminal.close()
    os.close(master)


@pytest.mark.parametrize("argv", [("no-such-program", "x"), ("/no/such/program",), ("./program",)])
def test_what_cannot_be_started_is_not_wrapped(
    terminal: Terminal, tmp_path: Path, argv: Sequence[str]
) -> None:
    (tmp_path / "program").write_text("not executable")
    assert terminal.command(argv, make_spec(tmp_path, "")) == argv


def test_what_can_be_started_is_wrapped(terminal: Terminal, tmp_path: Path) -> None:
    wrapped = terminal.command(("bash", "-c", "true"), make_spec(tmp_path, "", environ={"PATH": os.defpath}))
    assert wrapped[0] == "/bin/sh"
    assert wrapped[-3:] == ["bash", "-c", "true"]


def test_a_keyboard_that_is_not_in_the_foreground_is_left_alone() -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    notes: list[str] = []
    keyboard = Keyboard(slave, os.ttyname(slave), shared=False)
    keyboard.started(notes.append)
    assert not keyboard.take()
    assert keyboard.state() is None
    keyboard.resume()
    keyboard.end()
    assert (termios.tcgetattr(slave), notes) == (before, [])
    keyboard.close()
    os.close(master)
