"""Timing whole processes, taking turns."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.sides import Side

WARM_UPS = 2
"""Runs of each side before any counts: stores are created, bytecode and file caches are filled."""


def take_turns(
    sides: Sequence[Side], runs: int, folder: Path, tell: Callable[[str], None]
) -> dict[str, list[float]]:
    """Seconds of every process, by side. The order moves by one each turn, so that none is always first."""
    for side in sides:
        for _ in range(WARM_UPS):
            seconds(side, folder)
    times: dict[str, list[float]] = {side.name: [] for side in sides}
    for turn in range(runs):
        tell(f"turn {turn + 1} of {runs}")
        first = turn % len(sides)
        for side in (*sides[first:], *sides[:first]):
            times[side.name].append(seconds(side, folder))
    return times


def seconds(side: Side, folder: Path) -> float:
    """How long one process takes, from its start to its end. Raises RuntimeError where it fails."""
    program = shutil.which(side.argv[0], path=side.environ["PATH"]) or side.argv[0]
    started = time.perf_counter()
    done = subprocess.run(
        [program, *side.argv[1:]],
        cwd=folder,
        env=dict(side.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )
    took = time.perf_counter() - started
    if done.returncode != 0:
        output = (done.stdout + done.stderr).decode(errors="replace")
        raise RuntimeError(f"{side.name}: exit code {done.returncode}\n{output}")
    return took


def medians(times: dict[str, list[float]]) -> dict[str, float]:
    """The median of each side, in milliseconds."""
    return {name: statistics.median(taken) * 1000 for name, taken in times.items()}


class InstalledSize(NamedTuple):
    """What an environment's packages take, bytecode included, in MB (10**6 bytes)."""

    files: float
    """The sizes of the files added up."""
    blocks: float
    """The disk blocks that hold them: more, where files are small."""


def installed_size(python: Path) -> InstalledSize:
    """The size of an environment's packages."""
    folder = next((python.parent.parent / "lib").glob("python*/site-packages"))
    entries = [entry.lstat() for entry in (folder, *folder.rglob("*"))]
    return InstalledSize(
        sum(entry.st_size for entry in entries) / 1e6, sum(entry.st_blocks * 512 for entry in entries) / 1e6
    )


def progress(message: str) -> None:
    """One line on stderr, which the next one replaces on a terminal."""
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"{message:<40}", end=end, file=sys.stderr, flush=True)
