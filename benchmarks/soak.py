"""What `projrun server` holds in memory under a load of reads and writes that goes on for long: once a minute."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.served import Client, Served, on_sqlite, serving

_START = 1_790_000_000_000
_SHARE = 0.2
"""Of one core, that the server is kept busy with: a load of its own pace would differ from machine to machine."""
LIMIT = 60.0
"""MB that it may hold at the end."""
SLOPE = 6.0
"""MB an hour that the second half may rise by; below that a line cannot be told from noise in half an hour."""


class Reading(NamedTuple):
    """What was seen at a time."""

    minutes: float
    memory: float
    """MB of all its processes, without pages of the database that are mapped."""
    share: float
    """Of a core, since the last reading."""
    calls: int

    def line(self) -> str:
        """For people."""
        return (
            f"{self.minutes:6.1f} min{self.memory:8.1f} MB{self.share:7.0%} of a core{self.calls:10,} calls"
        )


def soak(minutes: float, folder: Path) -> bool:
    """Print a reading each minute, then the slope; whether the goals were reached."""
    (kept,) = (each for each in on_sqlite(folder) if each.kind == "projrun")
    with serving(kept, folder) as served:
        readings = []
        for reading in _readings(served, minutes):
            print(reading.line(), flush=True)
            readings.append(reading)
    slope, held = slope_of(readings), readings[-1].memory
    print(f"slope of the second half: {slope:+.2f} MB an hour; at the end {held:.1f} MB (goal: {LIMIT:g} MB)")
    return held <= LIMIT and slope <= SLOPE


def slope_of(readings: list[Reading]) -> float:
    """MB an hour, by least squares over the second half."""
    second = readings[len(readings) // 2 :]
    if len(second) < 2:
        return 0.0
    fitted = statistics.linear_regression(
        [each.minutes / 60 for each in second], [each.memory for each in second]
    )
    return fitted.slope


def _readings(served: Served, minutes: float) -> Iterator[Reading]:
    client = Client(served.port)
    calls, last, last_cpu = 0, 0.0, served.cpu()
    began, spent = time.monotonic(), last_cpu
    for number in itertools.count():
        calls += _round(client, number)
        # What it took so far is what it may have taken by now.
        time.sleep(max(0.0, (served.cpu() - spent) / _SHARE - (time.monotonic() - began)))
        passed = time.monotonic() - began
        if passed - last < min(60.0, minutes * 6):
            continue
        cpu = served.cpu()
        yield Reading(passed / 60, served.memory(), (cpu - last_cpu) / (passed - last), calls)
        last, last_cpu = passed, cpu
        if passed >= minutes * 60:
            return


def _round(client: Client, number: int) -> int:
    """A run from its creation to its end, as a training script logs it, and a person who looks on; the calls made."""
    start = _START + number * 1000
    tags = [{"key": "team", "value": "red"}]
    run = client.post("runs/create", experiment_id="0", start_time=start, tags=tags)["run"]["info"]["run_id"]
    for name in range(5):
        client.post("runs/log-parameter", run_id=run, key=f"p{name}", value=str(number))
    for step in range(50):
        client.post(
            "runs/log-metric", run_id=run, key="loss", value=1 / (step + 1), timestamp=start + step, step=step
        )
    for batch in range(5):
        metrics = [
            {"key": f"m{step % 10}", "value": step * 0.5, "timestamp": start + step, "step": step}
            for step in range(batch * 100, batch * 100 + 100)
        ]
        client.post("runs/log-batch", run_id=run, metrics=metrics)
    for _ in range(5):
        client.get("runs/get", run_id=run)
        client.get("metrics/get-history", run_id=run, metric_key="loss")
    wanted = {"experiment_ids": ["0"], "order_by": ["metrics.loss DESC"], "max_results": 50}
    client.post("runs/search", filter="metrics.m1 > 1", **wanted)
    client.post("runs/update", run_id=run, status="FINISHED", end_time=start + 900)
    return 1 + 5 + 50 + 5 + 10 + 1 + 1
