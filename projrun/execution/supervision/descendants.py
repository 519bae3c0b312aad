"""What a run's command started and moved out of its process group: found by a mark in the environment.

Every process of a run inherits PROJRUN_RUN_IDS, the ids of the run and of all runs that it is nested in. On Linux
others of the same user may read it in `/proc`, also when all the parents of the process are gone.
`PR_SET_CHILD_SUBREAPER` would do the same only for a runner that lives, and only through ctypes, whose import takes
4 ms of every start.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from time import monotonic

from projrun.tuples import NamedTuple

RUN_IDS = "PROJRUN_RUN_IDS"
"""The variable with the ids of the run and its ancestors, outermost first, joined by colons."""
KEEP = "PROJRUN_KEEP"
"""The variable that exempts a process, and what that starts, where it is `1`."""

_PROC = "/proc"
_SHORT = 1.0
"""Seconds in which no machine hands out all its process ids: 32,768 at least."""


class Process(NamedTuple):
    """One row of the table of processes."""

    pid: int
    parent: int
    group: int
    session: int = 0
    """0 where the system does not say it."""
    start: str = ""
    ids: tuple[str, ...] = ()
    """What its PROJRUN_RUN_IDS holds."""
    kept: bool = False
    stopped: bool = False


class Descendants:
    """The processes of one job outside its process group, whether their parents live or not."""

    def __init__(self, root: int, mark: str) -> None:
        """`root` is the job's main process, a child of this one; `mark` the run's id, empty where it has none."""
        self._root = root
        self._mark = mark
        self._started = monotonic()
        self._noted: frozenset[tuple[int, str]] = frozenset()
        self._terminated: frozenset[tuple[int, str]] = frozenset()

    def left(self) -> list[int]:
        """The ids of those with the mark, found at the price of what every run can afford."""
        if not self._mark or not _has_proc():
            return []
        return [pid for pid in self._candidates() if self._has_mark(*_marks(pid))]

    def find(self) -> list[Process]:
        """All that run. One without the mark (`env -i`) is found while a parent is, and from then on."""
        table = {process.pid: process for process in _processes()}
        main = table.get(self._root)
        # Its number may be another process's by now.
        sessions = {self._root} if main is None or main.parent == os.getpid() else set[int]()
        children: dict[int, list[Process]] = {}
        for process in table.values():
            children.setdefault(process.parent, []).append(process)
        waiting = [process for process in table.values() if self._is_own(process, sessions)]
        found: dict[int, Process] = {}
        while waiting:
            process = waiting.pop()
            if process.pid not in found and not process.kept:
                found[process.pid] = process
                waiting += children.get(process.pid, ())
        outside = [process for process in found.values() if process.group != self._root]
        self._noted |= {(process.pid, process.start) for process in outside}
        return outside

    def terminate(self) -> bool:
        """TERM for those that had none; whether any runs.

        The command of a nested run gets it from its own runner, as long as that lives: twice would be once too often
        for a program that writes a checkpoint.
        """
        found = self.find()
        supervised = self._supervised(found)
        for process in found:
            name = (process.pid, process.start)
            if name not in self._terminated and supervised.isdisjoint(self._inner(process)):
                self._terminated |= {name}
                _send(process.pid, signal.SIGTERM)
                if process.stopped:  # it sees TERM only when it goes on
                    _send(process.pid, signal.SIGCONT)
        return bool(found)

    def kill(self) -> bool:
        """KILL for all; whether any was running."""
        found = self.find()
        for process in found:
            _send(process.pid, signal.SIGKILL)
        return bool(found)

    def _is_own(self, process: Process, sessions: set[int]) -> bool:
        return (
            process.pid in sessions
            or process.session in sessions
            or self._has_mark(process.ids, process.kept)
            or (process.pid, process.start) in self._noted
        )

    def _has_mark(self, ids: tuple[str, ...], kept: bool) -> bool:
        return self._mark in ids and not kept

    def _inner(self, process: Process) -> tuple[str, ...]:
        """The runs nested in this one that a process belongs to."""
        return process.ids[process.ids.index(self._mark) + 1 :] if self._mark in process.ids else ()

    def _supervised(self, found: list[Process]) -> set[str]:
        """The runs nested in this one whose main process is still the child of a runner."""
        return {
            process.ids[-1]
            for process in found
            if self._inner(process) and _marks(process.parent)[0] == process.ids[:-1]
        }

    def _candidates(self) -> Iterator[int]:
        """Every process; for a short run only the younger ones, as ids are handed out in turn, from the start again."""
        pids = [int(name) for name in os.listdir(_PROC) if name.isdecimal()]  # noqa: PTH208 - a Path each is slow
        if monotonic() - self._started > _SHORT:
            return iter(pids)
        with suppress(OSError, ValueError), open(f"{_PROC}/loadavg", encoding="utf-8") as file:  # noqa: PTH123
            newest = int(file.read().split()[-1])
            if newest >= self._root:
                return (pid for pid in pids if pid > self._root)
            return (pid for pid in pids if pid > self._root or pid <= newest)
        return iter(pids)


def marked(environ: Mapping[str, str], run_id: str) -> dict[str, str]:
    """The environment of what this process starts, with what that is found by, beside the runs around this process.

    What is to be kept belongs to no run around it, and what it starts is its own to end.
    """
    outer = "" if environ.get(KEEP) == "1" else environ.get(RUN_IDS)
    inherited = {name: value for name, value in environ.items() if name != KEEP}
    return {**inherited, RUN_IDS: f"{outer}:{run_id}" if outer else run_id}


def _has_proc() -> bool:
    return os.path.exists(f"{_PROC}/self/environ")  # noqa: PTH110 - in every run


def _processes() -> Iterator[Process]:
    if not _has_proc():
        yield from _listed()
        return
    for name in os.listdir(_PROC):  # noqa: PTH208
        if not name.isdecimal():
            continue
        with suppress(OSError), open(f"{_PROC}/{name}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            state, *words = file.read().rpartition(")")[2].split()
            if state not in "ZX":
                parent, group, session = map(int, words[:3])
                marks = _marks(int(name))
                yield Process(int(name), parent, group, session, words[18], *marks, stopped=state in "Tt")


def _listed() -> Iterator[Process]:
    """On a system without `/proc`: by parentage alone."""
    words = ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat="]
    with suppress(OSError):
        listing = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        for line in listing.splitlines():
            pid, parent, group, state = line.split()
            if not state.startswith("Z"):
                yield Process(int(pid), int(parent), int(group), stopped=state.startswith("T"))


def _marks(pid: int) -> tuple[tuple[str, ...], bool]:
    """The ids of the runs that a process belongs to, and whether it is exempt; none where we may not know."""
    with suppress(OSError), open(f"{_PROC}/{pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123
        environ = b"\0" + file.read()
        value = _value(environ, RUN_IDS)
        return tuple(value.split(":")) if value else (), _value(environ, KEEP) == "1"
    return (), False


def _value(environ: bytes, name: str) -> str:
    _, _, rest = environ.partition(f"\0{name}=".encode())
    return os.fsdecode(rest.partition(b"\0")[0])


def _send(pid: int, signum: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)
