"""What `projrun server` takes beside `mlflow server` and fasttrackml: CPU of the process tree per call, and rates.

Usage: scripts/bench server [--quick] [--calls N] [--runs N] [--points N] [--only projrun,fast] [--postgres] [--json]
       scripts/bench server --soak MINUTES

Linux only: the CPU of a tree is read from /proc. Servers take turns, call by call of the table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

if __package__ in (
    None,
    "",
):  # run as a file: the packages beside this folder, and no module in it, are importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.calls import Row, Subject, rows
from benchmarks.filling import LONG_RUN, START, Sizes, fill
from benchmarks.goals import Goal, goals
from benchmarks.measuring import Measured, measure
from benchmarks.served import Client, Kept, on_postgres, on_sqlite, serving
from benchmarks.soak import soak
from benchmarks.timing import progress
from tests.support.postgres import own_postgres

Table = dict[str, dict[str, Measured | None]]


@contextmanager
def subjects(kept: Sequence[Kept], sizes: Sizes, folder: Path) -> Iterator[list[Subject]]:
    """Every server, started and filled."""
    with ExitStack() as stack:
        found: list[Subject] = []
        for each in kept:
            progress(f"starting and filling {each.name}")
            served = stack.enter_context(serving(each, folder))
            client = Client(served.port)
            if each.database not in (one.served.kept.database for one in found):
                fill(served, sizes)
            created = client.post("runs/create", experiment_id="0", start_time=START)
            experiment = client.get("experiments/get-by-name", experiment_name="large")["experiment"]
            run_id = created["run"]["info"]["run_id"]
            found.append(Subject(served, client, run_id, LONG_RUN, experiment["experiment_id"]))
        yield found


def compare(
    kept: Sequence[Kept], calls: int, sizes: Sizes, folder: Path, database: int | None
) -> tuple[Table, dict[str, str], float]:
    """The table, of each server its start and what it holds at the end, and how long ours takes to start."""
    starts = {each.name: start for each in kept if (start := _starts(each, folder))}
    table: Table = {}
    with subjects([each for each in kept if each.name in starts], sizes, folder) as found:
        for place, row in enumerate(rows(calls, sizes)):
            first = place % len(found)
            table[row.name] = {}
            for subject in (*found[first:], *found[:first]):
                progress(f"{row.name}, {subject.served.name}")
                table[row.name][subject.served.name] = _measured(row, subject, place, database)
        notes = {
            subject.served.name: f"{starts[subject.served.name].line()}; {subject.served.memory():.0f} MB at the end"
            for subject in found
        }
    return table, notes, starts[found[0].served.name].later


class Starts(NamedTuple):
    """Seconds to the first answer."""

    first: float
    """With an empty database."""
    later: float
    """The median of three of ours."""
    cpu: float
    """Seconds of CPU that a later start takes."""

    def line(self) -> str:
        """For people."""
        first = f"{self.first:.2f} s to the first answer with a new store"
        return f"{first}, {self.later:.2f} s later ({self.cpu:.2f} s of CPU)"


def _starts(kept: Kept, folder: Path) -> Starts | None:
    """None for a server that does not start: of MLflow's workers one that takes over 5 s is ended, again and again."""
    progress(f"starting {kept.name}")
    took, cpu = [], 0.0
    try:
        for _ in range(4 if kept.kind == "projrun" else 2):  # MLflow takes long
            with serving(kept, folder) as served:
                took.append(served.healthy_after)
                cpu = served.start
    except RuntimeError as error:
        progress(f"{kept.name}: {error}"[:300])
        return None
    return Starts(took[0], statistics.median(took[1:]), cpu)


def _measured(row: Row, subject: Subject, place: int, database: int | None) -> Measured | None:
    """None for what a server does not have."""
    if row.ours_alone and subject.served.kept.kind != "projrun":
        return None
    try:
        return measure(row, subject, place * 100_000, database)
    except (RuntimeError, OSError) as error:
        progress(f"{subject.served.name}: {error}"[:300])
        return None


def printed(title: str, table: Table, notes: Mapping[str, str], reached: Sequence[Goal]) -> str:
    """The table for people: ms of CPU a call, calls a second, and how many times projrun's CPU; then the goals."""
    names = list(notes)
    lines = [f"{title}, Python {platform.python_version()}, {os.cpu_count()} CPUs", ""]
    lines.append(f"{'ms of CPU a call (calls a second)':34}" + "".join(f"{name:>28}" for name in names))
    for row, found in table.items():
        ours = found[names[0]]
        cells = [_cell(found[name], ours if name != names[0] else None) for name in names]
        lines.append(f"{row:34}" + "".join(f"{cell:>28}" for cell in cells))
    lines += ["", *(f"{name}: {note}" for name, note in notes.items())]
    return "\n".join([*lines, "", "goals", *(goal.line() for goal in reached)])


def _cell(measured: Measured | None, ours: Measured | None) -> str:
    if measured is None:
        return "-"
    database = f"+{measured.database:.2f}" if measured.database else ""
    ratio = f" x{measured.total / ours.total:.1f}" if ours and ours.total else ""
    return f"{measured.cpu:.2f}{database} ({measured.rate:.0f}){ratio}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few calls on small stores")
    parser.add_argument("--calls", type=int, default=400, help="calls of a quick kind (default: 400)")
    parser.add_argument("--runs", type=int, default=10_000, help="runs to search (default: 10000)")
    parser.add_argument("--points", type=int, default=1_000_000, help="points of the long history")
    parser.add_argument("--only", default="", help="servers whose names hold one of these words, with commas")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, which this starts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="only projrun's memory, under load for so long"
    )
    given = parser.parse_args(arguments)
    calls, sizes = given.calls, Sizes(given.runs, given.points)
    if given.quick:
        calls, sizes = 40, Sizes(2_500, 20_000)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers end too
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="projrun-benchmark-")))
        if given.soak is not None:
            sys.exit(0 if soak(given.soak, folder) else 1)
        database = None
        if given.postgres:
            postgres = stack.enter_context(own_postgres())
            kept, database = on_postgres(folder, postgres.uri), postgres.pid
        else:
            kept = on_sqlite(folder)
        words = given.only.split(",")
        kept = [each for each in kept if any(word in each.name for word in words)]
        table, notes, start = compare(kept, calls, sizes, folder, database)
    reached = list(goals(table, start))
    if given.json:
        rows_of = {
            row: {name: each and each._asdict() for name, each in found.items()}
            for row, found in table.items()
        }
        print(
            json.dumps(
                {"table": rows_of, "notes": notes, "goals": [goal._asdict() for goal in reached]}, indent=2
            )
        )
    else:
        print(printed("PostgreSQL" if given.postgres else "SQLite", table, notes, reached))


if __name__ == "__main__":
    main()
