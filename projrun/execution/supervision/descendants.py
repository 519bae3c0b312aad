"""What a run's command started and moved out of its process group: found by a mark in the environment.

Every process of a run inherits PROJRUN_RUN_IDS, the ids of the run and of all runs that it is nested in. Others of the
same user may read it, in `/proc` on Linux and else by `ps`, also when all the parents of the process are gone.
`PR_SET_CHILD_SUBREAPER` would do the same only for a runner that lives, and only through ctypes, whose import takes
4 ms of every start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from time import monotonic

RUN_IDS = "PROJRUN_RUN_IDS"
"""The variable with the ids of the run and its ancestors, outermost first, joined by colons."""
KEEP = "PROJRUN_KEEP"
"""The variable that exempts a process, and what that starts, where it is `1`."""

PROC = "/proc"
"""Where Linux says what runs: proc(5)."""
_SHORT = 1.0
"""Seconds in which no machine hands out all its process ids: 32,768 at least."""


class Descendants:
    """The processes of one job outside its process group, whether their parents live or not."""

    def __init__(self, root: int, mark: str) -> None:
        """`root` is the job's main process, a child of this one; `mark` the run's id, empty where it has none."""
        self._root = root
        self._mark = mark
        self._started = monotonic()

    def left(self) -> list[int]:
        """The ids of those with the mark, found at the price of what every run can afford; needs `/proc`."""
        if not self._mark or not has_proc():
            return []
        found = ((pid, *marks(pid)) for pid in self._candidates())
        return [pid for pid, ids, kept in found if self._mark in ids and not kept]

    def _candidates(self) -> Iterator[int]:
        """Every process; for a short run only the younger ones, as ids are handed out in turn, from the start again."""
        pids = [int(name) for name in os.listdir(PROC) if name.isdecimal()]  # noqa: PTH208 - a Path each is slow
        if monotonic() - self._started > _SHORT:
            return iter(pids)
        with suppress(OSError, ValueError), open(f"{PROC}/loadavg", encoding="utf-8") as file:  # noqa: PTH123
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


def has_proc() -> bool:
    """Whether the system says in files what runs."""
    return os.path.exists(f"{PROC}/self/environ")  # noqa: PTH110 - in every run


def marks(pid: int) -> tuple[tuple[str, ...], bool]:
    """The ids of the runs that a process belongs to, and whether it is exempt; none where we may not know."""
    with suppress(OSError), open(f"{PROC}/{pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123
        environ = b"\0" + file.read()
        return ids_in(_value(environ, RUN_IDS)), _value(environ, KEEP) == "1"
    return (), False


def ids_in(value: str) -> tuple[str, ...]:
    """What a value of PROJRUN_RUN_IDS names."""
    return tuple(value.split(":")) if value else ()


def _value(environ: bytes, name: str) -> str:
    _, _, rest = environ.partition(f"\0{name}=".encode())
    return os.fsdecode(rest.partition(b"\0")[0])
