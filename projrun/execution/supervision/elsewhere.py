"""A process that another process supervises: what can be known of it and done to it from outside."""

from __future__ import annotations

import os
import time
from pathlib import Path
from urllib.parse import unquote_to_bytes

from projrun.errors import RequestError
from projrun.execution.protocol import UNKNOWN_EXIT_CODE, JobRef, Outcome
from projrun.execution.supervision.group import is_alive, process_state, signal_group
from projrun.execution.supervision.output import read_log

_PAUSE = 0.05
_UNKNOWN = Outcome(
    "FAILED", UNKNOWN_EXIT_CODE, "ended; its exit code is known only to the process that started it"
)


class ProcessElsewhere:
    """A job by its process id and the moment of its start, so that a reused id is not taken for it."""

    def __init__(self, pid: int, start: str, log_file: Path) -> None:
        self._pid = pid
        self._start = start
        self._log_file = log_file

    def poll(self) -> Outcome | None:
        """None while it, or something in its process group, runs."""
        state, start = process_state(self._pid)
        if start not in ("", self._start):
            return _UNKNOWN
        running = state not in ("", *"ZX") or is_alive(self._pid)
        return None if running else _UNKNOWN

    def wait(self) -> Outcome:
        """Return when it has ended; forwards no output, since its runner does."""
        while (outcome := self.poll()) is None:
            time.sleep(_PAUSE)
        return outcome

    def signal(self, signum: int) -> None:
        """Signal the process group. No KILL follows a TERM: the grace period is kept by its runner."""
        if process_state(self._pid).start == self._start:
            signal_group(self._pid, signum)

    def logs(self, offset: int) -> bytes:
        """What is in the log file from that byte on; nothing when its runner has taken the file away."""
        return read_log(self._log_file, offset)


def attach_elsewhere(ref: JobRef) -> ProcessElsewhere:
    """The process that a reference names; RequestError for a text that is none."""
    pid, start, log_file = [*ref.split(":", 2), "", ""][:3]
    if not (pid.isdecimal() and int(pid) > 1 and log_file.startswith("/")):
        raise RequestError(f"{ref!r} is not a reference to a process")
    if not start.isdecimal():
        raise RequestError(
            "this system cannot tell processes apart from outside",
            hint="ask the process that started the job",
        )
    return ProcessElsewhere(int(pid), start, Path(os.fsdecode(unquote_to_bytes(log_file))))
