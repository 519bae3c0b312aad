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
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # run as a file: the packages beside this folder must be importable
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.filling import SHORT, START, Sizes, fill
from benchmarks.served import Client, Kept, Served, on_postgres, on_sqlite, serving
from benchmarks.soak import soak
from benchmarks.timing import progress
from tests.support.postgres import own_postgres

SEARCHES = {
    "search, filtered": ("metrics.loss < 0.3 AND params.model = 'rf'", ["metrics.acc DESC"]),
    "search, ordered": ("", ["metrics.acc DESC"]),
}


class Subject(NamedTuple):
    """A server with what is asked of it."""

    served: Served
    client: Client
    run_id: str
    long_run: str
    experiment: str


class Measured(NamedTuple):
    """One row of one server."""

    cpu: float
    """Milliseconds a call, of all its processes."""
    rate: float
    """Calls a second."""


Call = Callable[[Subject, Client, int], object]
Table = dict[str, dict[str, Measured | None]]


class Row(NamedTuple):
    """A row of the table: a call, how many of them, from how many clients."""

    name: str
    call: Call
    calls: int
    clients: int = 1


def _points(first: int, count: int) -> list[dict[str, object]]:
    return [
        {"key": f"m{step % 10}", "value": step * 0.001, "timestamp": START + step, "step": step}
        for step in range(first, first + count)
    ]


def _create(subject: Subject, client: Client, number: int) -> object:
    tags = [{"key": "mlflow.user", "value": "me"}, {"key": "team", "value": "red"}]
    return client.post("runs/create", experiment_id="0", start_time=START + number, tags=tags)


def _log_metric(subject: Subject, client: Client, number: int) -> object:
    point = {"key": "loss", "value": 0.5, "timestamp": START + number, "step": number}
    return client.post("runs/log-metric", run_id=subject.run_id, **point)


def _log_parameter(subject: Subject, client: Client, number: int) -> object:
    return client.post("runs/log-parameter", run_id=subject.run_id, key=f"p{number}", value="1")


def _log_batch(count: int) -> Call:
    def call(subject: Subject, client: Client, number: int) -> object:
        points = _points((number + 1) * 1_000_000, count)
        return client.post("runs/log-batch", run_id=subject.run_id, metrics=points)

    return call


def _get(subject: Subject, client: Client, number: int) -> object:
    return client.get("runs/get", run_id=subject.run_id)


def _search(name: str, pages: int = 1) -> Call:
    """The last of so many pages of 100 runs; the call is all of them."""
    text, order = SEARCHES[name]

    def call(subject: Subject, client: Client, number: int) -> object:
        wanted = {
            "experiment_ids": [subject.experiment],
            "filter": text,
            "order_by": order,
            "max_results": 100,
        }
        token = ""
        for _ in range(pages):
            found = client.post("runs/search", **wanted, **({"page_token": token} if token else {}))
            token = found.get("next_page_token", "")
        assert found.get("runs")
        return found

    return call


def _history(subject: Subject, client: Client, number: int) -> object:
    found = client.get("metrics/get-history", run_id=subject.long_run, metric_key="short")
    assert len(found["metrics"]) == SHORT
    return found


def _sampled(*, extremes: bool) -> Call:
    def call(subject: Subject, client: Client, number: int) -> object:
        query = {"run_ids": subject.long_run, "metric_key": "long", "max_results": 2000}
        wanted = {**query, **({"extremes": "true"} if extremes else {})}
        return client.get("metrics/get-history-bulk-interval", prefix="/ajax-api", **wanted)

    return call


def rows(calls: int, sizes: Sizes) -> list[Row]:
    """The table's rows; what takes long is called less often."""
    few = max(calls // 20, 3)
    return [
        Row("create", _create, calls),
        Row("log-metric", _log_metric, calls),
        Row("log-parameter", _log_parameter, calls),
        Row("log-batch 10", _log_batch(10), calls),
        Row("log-batch 1000", _log_batch(1000), few),
        Row("get", _get, calls),
        *(Row(f"{name}, {sizes.runs:,} runs", _search(name), few) for name in SEARCHES),
        Row("20 pages of a search", _search("search, ordered", 20), 3),
        Row("history, 2,000 points", _history, few),
        Row(f"{sizes.points:,} points to 2,000", _sampled(extremes=False), few),
        Row("  with extremes (projrun)", _sampled(extremes=True), few),
        *(Row(f"log-metric, {clients} clients", _log_metric, calls * 2, clients) for clients in (8, 32)),
    ]


def measure(row: Row, subject: Subject, offset: int) -> Measured:
    """Make the calls of a row."""
    row.call(subject, subject.client, offset)  # what is made once is made
    before, began = subject.served.cpu(), time.perf_counter()
    if row.clients == 1:
        for number in range(row.calls):
            row.call(subject, subject.client, offset + 1 + number)
    else:
        _at_once(row, subject, offset + 1)
    took = time.perf_counter() - began
    time.sleep(0.05)  # what a server does after its answer counts
    return Measured((subject.served.cpu() - before) * 1000 / row.calls, row.calls / took)


def _at_once(row: Row, subject: Subject, offset: int) -> None:
    failed: list[Exception] = []

    def work(first: int) -> None:
        client = Client(subject.served.port)
        try:
            for number in range(first, row.calls, row.clients):
                row.call(subject, client, offset + number)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(row.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


@contextmanager
def subjects(kept: Sequence[Kept], sizes: Sizes, folder: Path) -> Iterator[list[Subject]]:
    """Every server, started and filled."""
    with ExitStack() as stack:
        found = []
        for each in kept:
            progress(f"starting and filling {each.name}")
            served = stack.enter_context(serving(each, folder))
            client = Client(served.port)
            long_run = fill(served, sizes)
            created = client.post("runs/create", experiment_id="0", start_time=START)
            experiment = client.get("experiments/get-by-name", experiment_name="large")["experiment"]
            run_id = created["run"]["info"]["run_id"]
            found.append(Subject(served, client, run_id, long_run, experiment["experiment_id"]))
        yield found


def compare(kept: Sequence[Kept], calls: int, sizes: Sizes, folder: Path) -> tuple[Table, dict[str, str]]:
    """The table, and of each server its start and what it holds at the end."""
    table: Table = {}
    with subjects(kept, sizes, folder) as found:
        for place, row in enumerate(rows(calls, sizes)):
            progress(row.name)
            first = place % len(found)
            table[row.name] = {}
            for subject in (*found[first:], *found[:first]):
                table[row.name][subject.served.name] = _measured(row, subject, place)
        notes = {
            subject.served.name: f"{subject.served.healthy_after:.2f} s to the first answer,"
            f" {subject.served.memory():.0f} MB at the end"
            for subject in found
        }
    return table, notes


def _measured(row: Row, subject: Subject, place: int) -> Measured | None:
    """None for what a server does not have."""
    if "(projrun)" in row.name and subject.served.kept.kind != "projrun":
        return None
    try:
        return measure(row, subject, place * 100_000)
    except RuntimeError as error:
        progress(f"{subject.served.name}: {error}"[:300])
        return None


def printed(title: str, table: Table, notes: Mapping[str, str]) -> str:
    """The table for people: ms of CPU a call, calls a second, and how many times projrun's CPU."""
    names = list(notes)
    lines = [f"{title}, Python {platform.python_version()}, {os.cpu_count()} CPUs", ""]
    lines.append(f"{'ms of CPU a call (calls a second)':34}" + "".join(f"{name:>24}" for name in names))
    for row, found in table.items():
        ours = found[names[0]]
        cells = [_cell(found[name], ours if name != names[0] else None) for name in names]
        lines.append(f"{row:34}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join([*lines, "", *(f"{name}: {note}" for name, note in notes.items())])


def _cell(measured: Measured | None, ours: Measured | None) -> str:
    if measured is None:
        return "-"
    ratio = f" x{measured.cpu / ours.cpu:.1f}" if ours and ours.cpu else ""
    return f"{measured.cpu:.2f} ({measured.rate:.0f}){ratio}"


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
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="projrun-benchmark-")))
        if given.soak is not None:
            sys.exit(0 if soak(given.soak, folder) else 1)
        if given.postgres:
            server = stack.enter_context(own_postgres())
            kept = on_postgres(folder, [server.uri(), server.uri()])
        else:
            kept = on_sqlite(folder)
        words = given.only.split(",")
        kept = [each for each in kept if any(word in each.name for word in words)]
        table, notes = compare(kept, calls, sizes, folder)
    if given.json:
        print(json.dumps({"table": table, "notes": notes}, indent=2))
    else:
        print(printed("PostgreSQL" if given.postgres else "SQLite", table, notes))


if __name__ == "__main__":
    main()
