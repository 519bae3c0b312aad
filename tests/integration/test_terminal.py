"""The command's terminal, as a person at an interactive bash sees it; each line beside what `mlflow run` gives."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.execution.supervision.support import eventually, is_running
from tests.support.commands import projrun_argv, run_projrun
from tests.support.shells import Shell

SCRIPTS = {
    "kinds": """\
import os, sys
terminals = [os.isatty(descriptor) for descriptor in range(3)]
try:
    with open("/dev/tty") as terminal:
        own = terminal.isatty() and os.getpgrp() == os.tcgetpgrp(terminal.fileno())
except OSError as error:
    own = error.strerror
print("stdin, stdout, stderr:", *terminals, "own:", own, flush=True)
print("an error", file=sys.stderr)
""",
    "ask": """\
import getpass
print("password of", len(getpass.getpass("password? ")))
print("hello", input("name? "))
""",
    "secret": 'import getpass; print("password of", len(getpass.getpass("password? ")))',
    "answer": 'print("answer:", input())',
    "count": """\
import itertools, time
try:
    for number in itertools.count():
        print("number", number, flush=True)
        time.sleep(0.05)
finally:
    print("checkpoint", flush=True)
""",
    "deaf": """\
import signal, time
signal.signal(signal.SIGINT, lambda *_: print("not now", flush=True))
print("started", flush=True)
while True:
    time.sleep(0.05)
""",
    "debug": "value = 6 * 7\\nbreakpoint()\\nprint('continued with', value)\\n",
    "size": """\
import os, signal, time
def show(*_):
    os.write(1, b"columns %d\\n" % os.get_terminal_size().columns)
signal.signal(signal.SIGWINCH, show)
show()
while True:
    time.sleep(0.05)
""",
    "hello": 'print("hello", input("name? "))',
    "steps": """\
import subprocess
for step in ("kinds", "hello", "count"):
    subprocess.run(["projrun", "run", ".", "-q", "-e", step], check=True)
""",
    "driver": """\
import projrun
for step in ("kinds", "hello", "count"):
    projrun.run(".", step)
""",
    "raw": """\
import os, sys, tty
tty.setraw(0)
print("any key:", end="", flush=True)
print(os.read(0, 10), end="\\r\\n")
""",
    "bar": """\
import shutil, sys, time
width = shutil.get_terminal_size().columns
for done in range(4):
    print("\\r" + f" {done}/3".rjust(width - 1, "="), end="", file=sys.stderr, flush=True)
print(file=sys.stderr)
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an entry point for each script, and one that is a shell."""
    folder = tmp_path / "project"
    folder.mkdir()
    lines = ["name: terminal", "entry_points:", "  shell: {command: exec bash --norc -i}"]
    for name, text in SCRIPTS.items():
        (folder / f"{name}.py").write_text(text.replace("\\n", "\n") if name == "debug" else text)
        lines.append(f"  {name}: {{command: {sys.executable} {name}.py}}")
    (folder / "MLproject").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the person's runs are recorded."""
    return tmp_path / "home"


@pytest.fixture
def shell(project: Path, home: Path) -> Iterator[Shell]:
    """A person's shell in the project's folder."""
    path = f"{Path(projrun_argv()[0]).parent}:{os.environ['PATH']}"
    mine = {"PROJRUN_HOME": str(home), "PROJRUN_ENV_MANAGER": "local", "PATH": path}
    with Shell(project, {**os.environ, **mine}) as shell:
        yield shell


def record(home: Path) -> tuple[str, bytes]:
    """The status of the newest run, and its log."""
    listed = run_projrun("runs", "list", "-n", "1", "--json", environ={"PROJRUN_HOME": str(home)}).check()
    run = json.loads(listed.stdout)["runs"][0]
    logs = [log.read_bytes() for log in home.glob(f"artifacts/*/{run['run_id']}/artifacts/logs/output.log")]
    return run["status"], b"".join(logs)


def lines_with(text: str, shown: str) -> list[str]:
    return [line for line in shown.splitlines() if text in line]


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("projrun run . -e kinds", "True True True own: True"),
        ("projrun run . -e kinds 2>errors; cat errors", "True True False own: True"),
        ("projrun run . -e kinds >out; cat out", "True False True own: True"),
        ("projrun run . -e kinds >out 2>&1; cat out", "True False False own: True"),
        ("projrun run . -e kinds </dev/null", "False True True own: True"),
        ("echo y | projrun run . -e kinds", "False True True own: True"),
        ("projrun run . -e kinds --json", "True True True own: True"),
        # Another program of the pipeline may read the terminal, as `less` does: no keyboard then.
        ("projrun run . -e kinds | cat >out; cat out", "True False True own: No such device or address"),
        ("projrun run . -e kinds --no-tty", "True False False own: No such device or address"),
        ("PROJRUN_NO_TTY=1 projrun run . -e kinds", "True False False own: No such device or address"),
    ],
)
def test_a_descriptor_is_a_terminal_where_the_runners_is(shell: Shell, line: str, kinds: str) -> None:
    shown = shell.run(line)
    assert lines_with("stdin,", shown) == [f"stdin, stdout, stderr: {kinds}"]
    assert lines_with("an error", shown) == ["an error"]


def test_the_log_has_plain_newlines_and_the_terminal_is_restored(shell: Shell, home: Path) -> None:
    before = shell.run("stty -g")
    shell.run("projrun run . -e kinds")
    assert shell.run("stty -g") == before
    assert record(home) == ("FINISHED", b"stdin, stdout, stderr: True True True own: True\nan error\n")


def test_questions_are_answered(shell: Shell, home: Path) -> None:
    shell.start("projrun run . -e ask")
    shell.shown("password? ")
    shell.type("secret\r")
    assert shell.shown("name? ") == "\r\npassword of 6\r\n"
    shell.type("Ada\r")
    assert shell.shown("hello Ada\r\n") == "Ada\r\n"
    shell.prompt()
    assert b"secret" not in record(home)[1]


def test_a_password_is_asked_at_the_terminal_where_standard_input_is_a_pipe(shell: Shell) -> None:
    shell.start("echo y | projrun run . -e secret")
    shell.shown("password? ")
    shell.type("secret\r")
    assert "password of 6" in shell.prompt()


def test_standard_input_may_be_a_pipe(shell: Shell) -> None:
    assert "answer: y" in shell.run("echo y | projrun run . -e answer")


def test_a_debugger(shell: Shell) -> None:
    shell.start("projrun run . -e debug")
    shell.shown("(Pdb) ")
    shell.type("p value + 1\r")
    assert shell.shown("(Pdb) ") == "p value + 1\r\n43\r\n"
    shell.type("c\r")
    assert "continued with 42" in shell.prompt()


def test_a_program_that_reads_single_keys(shell: Shell, home: Path) -> None:
    shell.start("projrun run . -e raw")
    shell.shown("any key:")
    shell.type("\x03")  # not an interrupt then
    assert "b'\\x03'" in shell.prompt()
    assert record(home)[0] == "FINISHED"


def test_ctrl_c(shell: Shell, home: Path) -> None:
    before = shell.run("stty -g")
    shell.start("projrun run . -e count")
    shell.shown("number 3")
    shell.type("\x03")
    shell.shown("^C")
    shown = shell.prompt()
    assert "checkpoint\r\n" in shown
    assert "was killed" in shown
    assert "interrupted by SIGINT" in shown
    assert shell.run("echo code $?") == "code 130\r\n"
    assert shell.run("stty -g") == before
    assert record(home)[0] == "KILLED"


def test_ctrl_c_again_and_again(shell: Shell) -> None:
    shell.start("projrun run . -e deaf --grace-period 60")
    shell.shown("started")
    shell.type("\x03")
    shell.shown("not now")
    shell.type("\x03")  # TERM, which ends it at once
    shell.prompt()
    assert shell.run("echo code $?") == "code 130\r\n"


def test_ctrl_backslash(shell: Shell) -> None:
    shell.start("projrun run . -e count")
    shell.shown("number 3")
    shell.type("\x1c")
    assert "interrupted by SIGQUIT" in shell.prompt()
    assert shell.run("echo code $?") == "code 131\r\n"


def test_stop_continue_in_the_background_and_in_the_foreground(shell: Shell) -> None:
    before = shell.run("stty -g")
    shell.start("projrun run . -e count")
    shell.shown("number 3")
    shell.type("\x1a")
    assert "Stopped" in shell.prompt()
    stopped = shell.run("ps -o stat=,args= | grep '[c]ount.py'")
    assert all(line.startswith("T") for line in stopped.splitlines()), stopped
    shell.start("bg")
    shell.shown("number")
    shell.type("kill -0 %1 && echo still $((40 + 2))\r")  # typed for the shell
    shell.shown("still 42")
    shell.start("fg")
    # The shell sends a job that runs no signal when it brings it to the foreground.
    eventually(shell.is_relayed, "the runner's taking of the terminal")
    shell.type("\x1a")
    shell.shown("Stopped")
    shell.prompt()
    shell.start("fg")
    shell.shown("number")
    shell.type("\x03")
    shell.shown("interrupted by SIGINT")
    shell.prompt()
    assert shell.run("stty -g") == before


def test_in_the_background_from_the_start(shell: Shell) -> None:
    shell.start("projrun run . -e count &")
    shell.shown("number 3")
    shell.type("echo raw=$(stty -a | grep -c -w -e -icanon) running=$(jobs -r | grep -c Running)\r")
    shell.shown("raw=0 running=1")
    shell.run("kill %1; wait %1; echo code $?")


def test_a_script_that_starts_it_is_stopped_and_interrupted_too(shell: Shell, project: Path) -> None:
    (project / "script.sh").write_text("projrun run . -e count\necho after $?\n")
    shell.start("bash script.sh")
    shell.shown("number 3")
    shell.type("\x1a")
    assert "Stopped" in shell.prompt()
    shell.start("fg")
    shell.shown("number")
    shell.type("\x03")
    shell.prompt()


def test_a_shell_as_the_command_has_jobs_of_its_own(shell: Shell, home: Path) -> None:
    shell.start("projrun run . -e shell")
    shell.type("PS1='inner''> '\r")
    shell.shown("inner> ")
    # Once echo has run, the editor of the inner shell no longer takes the keys.
    shell.type("echo re''ady; cat\r")
    shell.shown("ready\r\n")
    shell.type("it runs\r")
    shell.shown("it runs\r\nit runs\r\n")
    shell.type("\x1a")
    assert "Stopped" in shell.shown("inner> ")
    shell.type("fg\r")
    shell.shown("fg\r\ncat\r\n")
    shell.type("again\r")
    shell.shown("again\r\nagain\r\n")
    shell.type("\x03")
    shell.shown("inner> ")
    shell.type("exit 0\r")
    shell.prompt()
    assert record(home)[0] == "FINISHED"


def test_the_window_is_resized(shell: Shell) -> None:
    shell.resize(61)
    shell.start("projrun run . -e size")
    shell.shown("columns 61")
    shell.resize(119)
    shell.shown("columns 119")
    shell.type("\x1a")
    shell.prompt()
    shell.resize(75)
    shell.start("fg")
    shell.shown("columns 75")
    shell.type("\x03")
    shell.prompt()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_bar_and_the_lines_of_the_runner_stay_apart(shell: Shell, columns: int) -> None:
    shell.resize(columns)
    lines = shell.run("projrun run . -e bar").split("\r\n")
    bar = next(number for number, line in enumerate(lines) if "3/3" in line)
    assert lines[bar].rsplit("\r", 1)[1] == " 3/3".rjust(columns - 1, "=")
    assert lines[bar - 1].startswith("projrun: run ")
    assert lines[bar + 1].startswith("projrun: run ")


def test_a_window_that_is_closed_ends_the_run(shell: Shell, home: Path) -> None:
    shell.start("projrun run . -e count")
    shell.shown("number 3")
    shell.hang_up()
    eventually(lambda: record(home)[0] == "KILLED", "the end of the run")


def test_a_repeated_run_has_a_terminal_too(shell: Shell, home: Path) -> None:
    shell.run("projrun run . -e kinds -q --no-tty")
    listed = run_projrun("runs", "list", "--json", environ={"PROJRUN_HOME": str(home)}).check()
    shown = shell.run(f"projrun rerun {json.loads(listed.stdout)['runs'][0]['run_id']}")
    assert "stdin, stdout, stderr: True True True own: True" in shown


def test_a_killed_runner_leaves_the_terminal_as_it_was(shell: Shell) -> None:
    # A shell without a line editor, which sets nothing by itself.
    shell.start("exec sh -c 'stty -g; projrun run . -e count; echo code $?; sleep 1; stty -g; sleep 60'")
    before = shell.shown("\r\n")
    shell.shown("number 3")
    (runner,) = [child for child in _children(shell.pid) if b"projrun" in _words(child)]
    (job,) = [child for child in _children(runner) if b"count.py" in _words(child)]
    os.kill(runner, signal.SIGKILL)
    shell.shown("code 137\n")  # still raw
    assert shell.shown("\r\n") == before
    eventually(lambda: not is_running(job), "the end of the job")


def test_a_killed_runner_does_not_disturb_the_line_editor(shell: Shell) -> None:
    shell.start("projrun run . -e count")
    shell.shown("number 3")
    (runner,) = _children(shell.pid)
    os.kill(runner, signal.SIGKILL)
    shell.prompt()
    editing = shell.state()
    time.sleep(1)
    assert shell.state() == editing
    assert shell.run("echo $((40 + 2))") == "42\r\n"


def _children(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children]


def _words(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


@pytest.mark.parametrize("how", ["steps", "driver"])
def test_a_nested_run_leaves_the_keyboard_to_the_outer_one(shell: Shell, home: Path, how: str) -> None:
    shell.start(f"projrun run . -q -e {how}")
    # It reads the terminal itself; `/dev/tty` is the outer command's.
    shell.shown("stdin, stdout, stderr: True True True own: No such device or address")
    shell.shown("name? ")
    shell.type("Ada\r")
    shell.shown("hello Ada")
    shell.shown("number 3")
    shell.type("\x1a")
    assert "Stopped" in shell.prompt()
    shell.start("fg")
    shell.shown("number")
    shell.type("\x03")
    shell.shown("^C")
    shell.shown("checkpoint")
    shell.prompt()
    listed = run_projrun("runs", "list", "--json", environ={"PROJRUN_HOME": str(home)}).check()
    runs = {run["tags"]["mlflow.project.entryPoint"]: run for run in json.loads(listed.stdout)["runs"]}
    assert {name: run["status"] for name, run in runs.items()} == {
        how: "KILLED",
        "kinds": "FINISHED",
        "hello": "FINISHED",
        "count": "KILLED",
    }
    (log,) = home.glob(f"artifacts/*/{runs['kinds']['run_id']}/artifacts/logs/output.log")
    assert b"\r" not in log.read_bytes()
