"""The guard: outlives a runner that was killed, and then ends the process group of its child.

Run as a script with `python -I -S guard_process.py GRACE`, so it imports nothing of projrun. The
runner holds the other end of its standard input, writes the group's number to it, and ends the guard
itself when the child has ended; end of file therefore means that the runner is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import time

_PAUSE = 0.05


def main(grace_period: float) -> None:
    """Wait for the end of file, then TERM, and KILL after the grace period."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    told = b""
    while chunk := os.read(0, 64):
        told += chunk
    if told.endswith(b"\n"):
        _end_group(int(told), time.monotonic() + grace_period)


def _end_group(group: int, deadline: float) -> None:
    try:
        os.killpg(group, signal.SIGTERM)
        os.killpg(group, signal.SIGCONT)  # a stopped process sees TERM only when it goes on
        while time.monotonic() < deadline:
            time.sleep(_PAUSE)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    main(float(sys.argv[1]))
