"""What a person sees while something takes long: the phase, and the time since it began, drawn again and again."""

from __future__ import annotations

import os
import pty
import re
import signal
import sys
from pathlib import Path

import pytest

from projrun.cli.reporter import _Timed
from projrun_backends.environments.python.tools import _phase

CODE = """
import time
from projrun.cli.reporter import CommandLineReporter
reporter = CommandLineReporter()
with reporter.activity("Preparing"):
    while True:
        reporter.progress("Fetching 2 packages")
        time.sleep(0.05)
"""


@pytest.mark.processes
def test_the_time_goes_on_while_a_phase_does(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        environ = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "PROJRUN_HOME": str(tmp_path)}
        os.execve(sys.executable, [sys.executable, "-c", CODE], environ)
    try:
        seen = ""
        while len(set(re.findall(r"Fetching 2 packages \((\d+) s\)", seen))) < 2:
            seen += os.read(terminal, 65536).decode(errors="replace")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def test_the_time_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projrun.cli.reporter.monotonic", lambda: 200.0)
    assert [str(_Timed("Fetching", began).__rich__()) for began in (196.5, 75.0)] == [
        "Fetching (3 s)",
        "Fetching (2 min 5 s)",
    ]


@pytest.mark.parametrize(
    ("line", "phase"),
    [
        ("Resolved 4 packages in 12ms", "Fetching 4 packages"),
        ("Prepared 1 package in 3.1s", "Installing 1 package"),
        ("Downloading torch (780.4MiB)", "Downloading torch (780.4MiB)"),
        ("Installing collected packages: six", "Installing collected packages: six"),
        ("Downloading six-1.16.whl.metadata (1.8 kB)", ""),
        ("Using Python 3.11.7 environment at: /tmp/env", ""),
    ],
)
def test_a_line_about_what_is_over_begins_the_next_phase(line: str, phase: str) -> None:
    assert _phase(line) == phase
