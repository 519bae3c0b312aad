"""A process group: everything that a command started and that did not move to its own session."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from projrun.tuples import NamedTuple

_WATCHED = 2.0
_LOOK = 0.1
"""Seconds after CONT during which a member that is stopped gets it again, and between two looks at them."""


class ProcessState(NamedTuple):
    """What proc(5) says of a process; empty words where it is gone, or the system has no `/proc`."""

    state: str = ""
    """`R`, `S`, `T`, …; `Z` for one that has ended and was not waited for."""
    start: str = ""
    """When it was started, in ticks since the machine was: with the process id, its name for ever."""


def process_state(process: int) -> ProcessState:
    """Look at one process."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return ProcessState()
    return ProcessState(words[0], words[19])


def signal_group(group: int, signum: int) -> None:
    """Send a signal to every member; a group that is gone, or not ours to signal, is not an error."""
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        return


def terminate_group(group: int) -> None:
    """TERM; where a member is stopped, CONT too, without which it would not see that.

    Not for others: of two signals at once, one may reach another thread than the main one, and then Python does not
    notice either before the main one's system call is over.
    """
    signal_group(group, signal.SIGTERM)
    if not Path("/proc/self/stat").exists() or _has_stopped(group):
        signal_group(group, signal.SIGCONT)


class Stopping:
    """Stops a group after TSTP, and sees to it that all of it goes on after CONT.

    Linux gives a process that is just being forked the STOP that its group was sent, but not the CONT: it stays
    stopped, and whoever waits for it waits for ever.
    """

    def __init__(self, group: int) -> None:
        self._group = group
        self._watched_until = 0.0

    def follow(self, signum: int) -> None:
        """After the group was sent this signal."""
        if signum == signal.SIGTSTP:
            self._watched_until = 0.0
            signal_group(self._group, signal.SIGSTOP)
        elif signum == signal.SIGCONT:
            self._watched_until = monotonic() + _WATCHED

    def watch(self, longest: float) -> float:
        """CONT again where a member is stopped, for a while after it; how long to wait at most until the next look."""
        if monotonic() > self._watched_until:
            return longest
        if Path("/proc/self/stat").exists() and _has_stopped(self._group):
            signal_group(self._group, signal.SIGCONT)
        return min(longest, _LOOK)


def is_alive(group: int) -> bool:
    """Whether a member still runs. Zombies do not count: in a container, process 1 may never reap them."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # macOS: EPERM where all members are zombies
        return False
    processes = Path("/proc")
    if not (processes / "self/stat").exists():
        return True
    return any(_runs_in(group, stat) for stat in _stat_lines(processes))


def group_members(group: int) -> Iterator[tuple[int, int]]:
    """The process ids of the members that run, each with its parent's; none on a system without `/proc`."""
    if Path("/proc/self/stat").exists():
        for stat in _stat_lines(Path("/proc")):
            if _runs_in(group, stat):
                yield int(stat.partition(" ")[0]), int(stat.rpartition(")")[2].split()[1])


def exit_descriptor(process: int) -> int | None:
    """A descriptor that can be read when a child has ended (Linux 5.3), or None."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(process)
    except (OSError, AttributeError):  # an old kernel or C library, or a sandbox that does not know the call
        return None


def _has_stopped(group: int) -> bool:
    return any(_state_in(group, stat) in ("T", "t") for stat in _stat_lines(Path("/proc")))


def _stat_lines(processes: Path) -> Iterator[str]:
    for name in os.listdir(processes):  # noqa: PTH208 - a Path for each of a thousand processes is slow
        if name.isdecimal():
            try:
                with open(f"{processes}/{name}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                    yield file.read()
            except OSError:
                continue


def _runs_in(group: int, stat: str) -> bool:
    return _state_in(group, stat) not in ("", "Z", "X")


def _state_in(group: int, stat: str) -> str:
    """Read proc(5)'s `pid (name) state ppid pgrp …`; the name may hold spaces. Empty for others than members."""
    state, _, pgrp = stat.rpartition(")")[2].split()[:3]
    return state if int(pgrp) == group else ""
