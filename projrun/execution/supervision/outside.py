"""The processes of a job outside its process group: found in the table of all processes, and ended."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from projrun.execution.supervision.processes import Process, processes


class Outside:
    """Those of one job, whether their parents live or not; see `Descendants`."""

    def __init__(self, root: int, mark: str) -> None:
        self._root = root
        self._mark = mark
        self._table: dict[int, Process] = {}
        self._noted: frozenset[tuple[int, str]] = frozenset()
        self._terminated: frozenset[tuple[int, str]] = frozenset()

    def find(self) -> list[Process]:
        """All that run. One without the mark (`env -i`) is found while a parent is, and from then on."""
        table = self._table = {process.pid: process for process in processes()}
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
            or (self._mark in process.ids and not process.kept)
            or (process.pid, process.start) in self._noted
        )

    def _inner(self, process: Process) -> tuple[str, ...]:
        """The runs nested in this one that a process belongs to."""
        return process.ids[process.ids.index(self._mark) + 1 :] if self._mark in process.ids else ()

    def _supervised(self, found: list[Process]) -> set[str]:
        """The runs nested in this one whose main process is still the child of a runner."""
        return {
            process.ids[-1]
            for process in found
            if self._inner(process)
            and (parent := self._table.get(process.parent))
            and parent.ids == process.ids[:-1]
        }


def _send(pid: int, signum: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)
