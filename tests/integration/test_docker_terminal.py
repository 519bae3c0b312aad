"""The terminal of a container, as a person at an interactive bash sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import projrun_argv
from tests.support.docker_bench import DockerBench
from tests.support.shells import Shell

KINDS = """\
import os, sys, time
sys.stdout.write("stdin, stdout, stderr: {} {} {}\\n".format(*map(os.isatty, range(3))))
if os.isatty(1):
    until = time.monotonic() + 10  # Docker says how wide it is once the container runs
    while os.get_terminal_size().columns != 77 and time.monotonic() < until:
        time.sleep(0.02)
    print("columns", os.get_terminal_size().columns, flush=True)
sys.stderr.write("an error\\n")
"""
COUNT = """\
import itertools, os, signal, time
signal.signal(signal.SIGWINCH, lambda *_: os.write(1, b"columns %d\\n" % os.get_terminal_size().columns))
try:
    for number in itertools.count():
        print("number", number, flush=True)
        time.sleep(0.05)
finally:
    print("checkpoint", flush=True)
"""


@pytest.fixture
def shell(docker: DockerBench) -> Iterator[Shell]:
    """A person's shell beside the project."""
    path = f"{Path(projrun_argv()[0]).parent}:{os.environ['PATH']}"
    with Shell(docker.folder, {**os.environ, "PATH": path}) as shell:
        shell.resize(77)
        yield shell


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("projrun run project", "True True True\r\ncolumns 77"),
        ("projrun run project -A t", "True True True\r\ncolumns 77"),
        ("echo y | projrun run project", "False False False"),
        ("projrun run project 2>errors; cat errors", "False False False"),
        ("projrun run project --no-tty", "False False False"),
    ],
)
def test_it_has_one_where_the_runner_has_one_for_all_descriptors(
    docker: DockerBench, shell: Shell, line: str, kinds: str
) -> None:
    docker.project("python show.py", show_py=KINDS)
    shown = shell.run(line)
    assert f"stdin, stdout, stderr: {kinds}\r\n" in shown
    assert "an error\r\n" in shown
    (log,) = Path(os.environ["PROJRUN_HOME"]).glob("artifacts/*/*/artifacts/logs/output.log")
    # Without a terminal the daemon sends two streams, in no order.
    lines = log.read_bytes().decode().split("\n")
    assert sorted(lines) == sorted(f"stdin, stdout, stderr: {kinds}\r\nan error\r\n".split("\r\n"))


def test_resizing_and_ctrl_c_reach_it(docker: DockerBench, shell: Shell) -> None:
    docker.project("python count.py", count_py=COUNT)
    shell.start("projrun run project")
    shell.shown("number 3")
    shell.resize(119)
    shell.shown("columns 119")
    shell.type("\x03")
    shown = shell.prompt()
    assert "checkpoint\r\n" in shown
    assert "interrupted by SIGINT" in shown
    assert shell.run("echo code $?") == "code 130\r\n"


def test_questions_are_answered(docker: DockerBench, shell: Shell) -> None:
    docker.project(
        "python ask.py", ask_py='import getpass; print(len(getpass.getpass("word? ")), input("name? "))'
    )
    shell.start("projrun run project")
    shell.shown("word? ")
    shell.type("secret\r")
    shell.shown("name? ")
    shell.type("Ada\r")
    assert "6 Ada\r\n" in shell.prompt()


def test_ctrl_c_again_and_again(docker: DockerBench, shell: Shell) -> None:
    deaf = COUNT.replace(
        "try:", "for one in (2, 15): signal.signal(one, lambda one, _: print('got', one))\ntry:"
    )
    docker.project("python deaf.py", deaf_py=deaf)
    shell.start("projrun run project --grace-period 60")
    for expected in ("number 3", "got 2", "got 15"):
        shell.shown(expected)
        shell.type("\x03")
    assert "interrupted by SIGINT" in shell.prompt()
