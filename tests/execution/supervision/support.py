"""What the tests of execution share: jobs, real runner processes, waiting for something to happen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from projrun.execution.protocol import JobSpec, Outcome

PATIENCE = 120.0
"""Seconds that anything may take on a busy machine."""

RUNNER = Path(__file__).with_name("runner.py")
PYTHON = sys.executable
PROC = Path("/proc/self/stat")


def make_spec(folder: Path, command: str, **changes: Any) -> JobSpec:
    """A job in `folder`, with this process's environment."""
    spec = JobSpec(command, (), folder, dict(os.environ), folder / "output.log", grace_period=5.0)
    return spec._replace(**changes)


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` is true; AssertionError where that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for: {what}"
        time.sleep(0.005)


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    return process_state(pid) not in "ZX"


def process_state(pid: int) -> str:
    """The letter that `ps` shows; X for a process that is gone."""
    if PROC.exists():  # a test that waits asks many times, and `ps` reads about every process
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return "X"
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1] or "X"


def read_pid(file: Path) -> int:
    """The process id that a command writes to a file with `echo`, as soon as it is there."""
    eventually(lambda: file.exists() and file.read_text().endswith("\n"), f"a process id in {file.name}")
    return int(file.read_text())


class Runner:
    """A runner in a process of its own, with one job. Killed at the end of the `with` block."""

    def __init__(
        self,
        folder: Path,
        command: str,
        *,
        grace_period: float = 5.0,
        secrets: tuple[str, ...] = (),
        forward_stdout_to_stderr: bool = False,
        terminal: bool = False,
        timeout: float = 0.0,
        builds: bool = False,
        log_file: Path | None = None,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = subprocess.PIPE,
        stderr: int | IO[bytes] | None = subprocess.PIPE,
        wrapper: tuple[str, ...] = (),
    ) -> None:
        self.mark = os.urandom(16).hex()
        self.folder = folder
        self.log_file = log_file or folder / "output.log"
        self.building_file = folder / "building"
        self._outcome_file = folder / "outcome.json"
        self._job_file = folder / "job.txt"
        request = {
            "command": command,
            "directory": str(folder),
            "log_file": str(self.log_file),
            "grace_period": grace_period,
            "secrets": secrets,
            "forward_stdout_to_stderr": forward_stdout_to_stderr,
            "terminal": terminal,
            "timeout": timeout,
            "ids": f"outer:{self.mark}",
            "builds": builds,
            "building_file": str(self.building_file),
            "outcome_file": str(self._outcome_file),
            "job_file": str(self._job_file),
        }
        request_file = folder / "request.json"
        request_file.write_text(json.dumps(request), encoding="utf-8")
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [*wrapper, PYTHON, "-m", "tests.execution.supervision.runner", str(request_file)],
            cwd=RUNNER.parents[2],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    @property
    def job_pid(self) -> int:
        """The process id of the job, as soon as it was started."""
        eventually(self._job_file.exists, "the job's start")
        return int(self._job_file.read_text())

    def created(self, name: str) -> Path:
        """Wait for a file that the command makes in its folder."""
        file = self.folder / name
        eventually(file.exists, f"the file {name}")
        return file

    def send(self, signum: signal.Signals) -> None:
        """Signal the runner itself."""
        self.process.send_signal(signum)

    def finish(self, stdin: bytes | None = None) -> tuple[bytes, bytes]:
        """Wait for its end; what it wrote to stdout and stderr."""
        stdout, stderr = self.process.communicate(stdin, timeout=PATIENCE)
        return stdout or b"", stderr or b""

    def outcome(self) -> Outcome:
        """Wait for its end; the outcome, whose exit code is also the runner's."""
        _, stderr = self.finish()
        assert self._outcome_file.exists(), f"the runner failed:\n{stderr.decode()}"
        status, exit_code, reason, signum, warnings, cause = json.loads(self._outcome_file.read_text("utf-8"))
        outcome = Outcome(status, exit_code, reason, signum, tuple(warnings), cause)
        assert self.process.returncode == outcome.exit_code
        return outcome
