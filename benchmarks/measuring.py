"""Calls to a server, counted: CPU of its processes and of its database, calls a second, and how long one takes."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from benchmarks.calls import Row, Subject
from benchmarks.served import Client, cpu_of_tree

_PATIENCE = 20.0
"""Seconds for a row of one server, unless a call takes longer: MLflow's deep pages would take minutes."""


class Measured(NamedTuple):
    """One row of one server."""

    cpu: float
    """Milliseconds a call, of all processes of the server."""
    database: float
    """The same of PostgreSQL's, of which only this server asked anything at that time."""
    rate: float
    """Calls a second."""
    p95: float
    """Milliseconds within which 95 of 100 calls are answered."""
    calls: int

    @property
    def total(self) -> float:
        """CPU of a call, wherever it was spent."""
        return self.cpu + self.database


def measure(row: Row, subject: Subject, offset: int, database: int | None) -> Measured:
    """Make the calls of a row; `database` is the process of PostgreSQL. Raises RuntimeError where one is refused."""
    subject.client.begin()
    if not row.warm:
        row.call(subject, subject.client, offset)
    theirs = 0.0 if database is None else cpu_of_tree(database)
    ours, began = subject.served.cpu(), time.perf_counter()
    took = _calls(row, subject, offset + 1)
    passed = time.perf_counter() - began
    time.sleep(0.05)  # what a server does after its answer counts
    ours = subject.served.cpu() - ours
    theirs = 0.0 if database is None else cpu_of_tree(database) - theirs
    p95 = sorted(took)[int(len(took) * 0.95)] * 1000
    return Measured(ours * 1000 / len(took), theirs * 1000 / len(took), len(took) / passed, p95, len(took))


def _calls(row: Row, subject: Subject, offset: int) -> list[float]:
    """The seconds of each call."""
    took: list[float] = []
    failed: list[Exception] = []
    end = time.perf_counter() + _PATIENCE

    def work(first: int) -> None:
        client = subject.client if row.clients == 1 else Client(subject.served.port)
        try:
            for number in range(first, row.calls, row.clients):
                began = time.perf_counter()
                if began > end:
                    break
                row.call(subject, client, offset + number)
                took.append(time.perf_counter() - began)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(row.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return took
