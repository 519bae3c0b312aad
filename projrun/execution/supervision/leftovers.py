"""What a command left running in sessions of its own: named, or ended once its job is over."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from projrun.credentials import MASK, without_credentials
from projrun.execution.protocol import JobSpec
from projrun.execution.supervision.guard import Guard
from projrun.execution.supervision.outside import Outside
from projrun.execution.supervision.processes import command_line

_MOST = 3
_LONGEST = 60
_PAUSE = 0.02


def end_left_running(mark: str, grace_period: float) -> None:
    """TERM, and KILL after the grace period or at a signal, for what jobs of the run with this mark left running."""
    left = Outside(os.getpid(), mark)
    if not left.find():
        return
    guard = Guard(grace_period, mark=mark)
    deadline = time.monotonic() + grace_period
    try:
        while left.terminate() and time.monotonic() < deadline:
            time.sleep(_PAUSE)
    finally:
        left.kill()
        guard.release()


def left_running(processes: Sequence[int], spec: JobSpec) -> str:
    """The warning that names them, the eldest first."""
    shown = ", ".join(f"{pid} ({_command_line(pid, spec.secrets)})" for pid in sorted(processes)[:_MOST])
    more = f" and {len(processes) - _MOST} more" if len(processes) > _MOST else ""
    if spec.end_leftovers:
        return f"processes that the command left running in sessions of their own were ended: {shown}{more}"
    return f"the command left processes running: {shown}{more}; --end-leftovers ends them"


def _command_line(pid: int, secrets: Sequence[str]) -> str:
    """What a process was started as, in one line of printable text."""
    text = command_line(pid)
    for secret in filter(None, secrets):
        text = text.replace(secret, MASK)
    text = without_credentials("".join(one if one.isprintable() else " " for one in text))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
