"""The table of all processes, with the runs that each belongs to: from `/proc`, or from `ps` where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

from projrun.execution.supervision import descendants
from projrun.execution.supervision.descendants import KEEP, RUN_IDS, has_proc, ids_in, marks
from projrun.tuples import NamedTuple

_PLATFORM: str = sys.platform  # a plain str: the type checker would look at one system's code alone
_COLUMNS = "pid=,ppid=,pgid=,stat=,command="


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


def processes() -> Iterator[Process]:
    """All that run, and those that are stopped."""
    return _in_files() if has_proc() else _listed()


def command_line(pid: int) -> str:
    """What a process was started as; empty where it has ended."""
    if has_proc():
        with suppress(OSError), open(f"{descendants.PROC}/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read().decode(errors="replace").replace("\0", " ").strip()
        return ""
    return _ps("-ww", "-o", "command=", "-p", str(pid)).strip()


def _in_files() -> Iterator[Process]:
    for name in os.listdir(descendants.PROC):  # noqa: PTH208
        if not name.isdecimal():
            continue
        with (
            suppress(OSError),
            open(f"{descendants.PROC}/{name}/stat", encoding="utf-8", errors="replace") as file,  # noqa: PTH123
        ):
            state, *words = file.read().rpartition(")")[2].split()
            if state not in "ZX":
                parent, group, session = map(int, words[:3])
                of = marks(int(name))
                yield Process(int(name), parent, group, session, words[18], *of, stopped=state in "Tt")


def _listed() -> Iterator[Process]:
    """With the environment behind the command, as far as the system shows it: macOS hides that of its own programs."""
    words = ["-A", "-E", "-ww"] if _PLATFORM == "darwin" else ["axeww"]
    for line in _ps(*words, "-o", _COLUMNS).splitlines():
        fields = line.split()
        numbers, (state, *shown) = fields[:3], fields[3:] or [""]
        # A value in an environment may hold line breaks.
        if all(number.isdecimal() for number in numbers) and state and state[0] in "DIRSTU":
            pid, parent, group = map(int, numbers)
            ids, kept = ids_in(_last(shown, RUN_IDS)), _last(shown, KEEP) == "1"
            yield Process(pid, parent, group, 0, "", ids, kept, stopped=state[0] == "T")


def _last(words: list[str], name: str) -> str:
    return next((word.partition("=")[2] for word in reversed(words) if word.startswith(f"{name}=")), "")


def _ps(*words: str) -> str:
    with suppress(OSError):
        done = subprocess.run(["ps", *words], capture_output=True, check=False)
        return done.stdout.decode(errors="replace")
    return ""
