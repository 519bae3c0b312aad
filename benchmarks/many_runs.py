"""Stores with many runs and columns for what a page asks: written in bulk, past all checks of single calls."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from projrun.tracking.sql.sqlite import SqliteEngine
from projrun.tracking.sql.store import SqlStore

START = 1_790_000_000_000
_RUN = (
    "INSERT INTO runs (id, run_id, experiment_id, run_name, user_id, status, start_time, end_time, artifact_uri)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SERIES = (
    "INSERT INTO series (id, run, key, model_id, dataset_name, dataset_digest, step, timestamp, value, is_nan,"
    " latest, ordered, least, greatest) VALUES (?, ?, ?, '', '', '', ?, ?, ?, 0, 1, 1, ?, ?)"
)
_AT_ONCE = 1_000
"""Runs in one transaction's piece."""


class Shape(NamedTuple):
    """How many runs, how many columns of each kind, and how many points each metric has."""

    runs: int
    params: int
    metrics: int
    tags: int = 3
    points: int = 1


def fill(path: Path, shape: Shape, experiment: str = "large") -> str:
    """Write the runs into the store in the file `path`, which is created; the id of their experiment."""
    with closing(SqlStore.open(path)) as store:
        found = store.get_experiment_by_name(experiment)
        number = found.experiment_id if found else store.create_experiment(experiment)
    with closing(SqliteEngine.open(path)) as engine, engine.writing() as connection:
        last = connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0]
        series = connection.execute("SELECT coalesce(max(id), 0) FROM series").fetchone()[0]
        for first in range(0, shape.runs, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, shape.runs))
            rows = _Rows(shape, int(number), last, series, numbers)
            for statement, values in rows.statements():
                connection.executemany(statement, values)
    return number


class _Rows:
    """The rows of some runs, the same for each store."""

    def __init__(self, shape: Shape, experiment: int, last: int, series: int, numbers: range) -> None:
        self._shape = shape
        self._experiment = experiment
        self._last = last
        self._series = series
        self._numbers = numbers
        self._chance = random.Random(numbers.start)

    def statements(self) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
        """Each with the rows that it takes."""
        last = self._shape.points - 1
        yield _RUN, [self._run(number) for number in self._numbers]
        for table, rows in (("params", self._params()), ("tags", self._tags())):
            yield f"INSERT INTO {table} (run, key, value) VALUES (?, ?, ?)", list(rows)
        yield (
            _SERIES,
            [
                (series, run, key, last, _time(run, last), values[-1], min(values), max(values))
                for series, run, key, values in self._metrics()
            ],
        )
        yield (
            "INSERT INTO points (series, step, timestamp, value, is_nan) VALUES (?, ?, ?, ?, 0)",
            [
                (series, step, _time(run, step), value)
                for series, run, _, values in self._metrics()
                for step, value in enumerate(values)
            ],
        )

    def _run(self, number: int) -> tuple[object, ...]:
        run, start = self._last + number + 1, START + 1000 * number
        name, user = f"{('calm', 'bold', 'swift')[number % 3]}-run-{number}", ("ann", "bob")[number % 2]
        status = "FAILED" if number % 17 == 3 else "FINISHED"
        uri = f"mlflow-artifacts:/{self._experiment}/{run:032x}/artifacts"
        return run, f"{run:032x}", self._experiment, name, user, status, start, start + 60_000, uri

    def _params(self) -> Iterator[tuple[object, ...]]:
        for number in self._numbers:
            for place in range(self._shape.params):
                # The first are as in a sweep, one in ten is the same everywhere.
                value = "relu" if place % 10 == 9 else f"{number * (place + 3) % (7 + 5 * place) / 100:g}"
                yield self._last + number + 1, f"param_{place:03}", value

    def _tags(self) -> Iterator[tuple[object, ...]]:
        for number in self._numbers:
            run = self._last + number + 1
            named = [
                ("mlflow.runName", f"run-{number}"),
                ("mlflow.source.name", "train.py"),
                ("mlflow.user", "ann"),
            ]
            for place in range(self._shape.tags):
                yield (run, *(named[place] if place < 3 else (f"tag_{place}", f"value {number % 5}")))

    def _metrics(self) -> Iterator[tuple[int, int, str, list[float]]]:
        chance = random.Random(self._numbers.start)
        for number in self._numbers:
            for place in range(self._shape.metrics):
                series = self._series + number * self._shape.metrics + place + 1
                height, noise = 1 + chance.random(), chance.random()
                values = [
                    height * math.exp(-3 * step / self._shape.points) + 0.1 * math.sin(step * noise)
                    for step in range(self._shape.points)
                ]
                yield series, self._last + number + 1, f"metric_{place:03}", values


def _time(run: int, step: int) -> int:
    return START + 1000 * run + 100 * step
