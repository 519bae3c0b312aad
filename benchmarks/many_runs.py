"""Stores with many runs and columns for what a page asks: written in bulk, past all checks of single calls.

MLflow's store takes the same runs, with the same ids where both stores were empty.
"""

from __future__ import annotations

import math
import random
import sqlite3
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
_MLFLOW_RUN = (
    "INSERT INTO runs (run_uuid, experiment_id, name, user_id, status, start_time, end_time, artifact_uri, source_type,"
    " source_name, entry_point_name, source_version, lifecycle_stage)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'LOCAL', '', '', '', 'active')"
)
_MLFLOW_POINTS = "INSERT INTO {} (run_uuid, key, step, timestamp, value, is_nan) VALUES (?, ?, ?, ?, ?, 0)"
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


def fill_mlflow(path: Path, shape: Shape, experiment: str) -> None:
    """Write the same runs into an experiment, by its id, of MLflow's store in the file `path`."""
    with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
        last = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        for first in range(0, shape.runs, _AT_ONCE):
            rows = _Rows(shape, int(experiment), last, 0, range(first, min(first + _AT_ONCE, shape.runs)))
            for statement, values in rows.mlflow_statements():
                connection.executemany(statement, values)


class _Rows:
    """The rows of some runs, the same for each store."""

    def __init__(self, shape: Shape, experiment: int, last: int, series: int, numbers: range) -> None:
        self._shape = shape
        self._experiment = experiment
        self._last = last
        self._series = series
        self._numbers = numbers

    def statements(self) -> Iterator[tuple[str, Iterator[tuple[object, ...]]]]:
        """Each with the rows that it takes."""
        last = self._shape.points - 1
        yield _RUN, (self._run(number) for number in self._numbers)
        for table, rows in (("params", self._params()), ("tags", self._tags())):
            yield f"INSERT INTO {table} (run, key, value) VALUES (?, ?, ?)", rows
        yield (
            _SERIES,
            (
                (series, run, key, last, _time(run, last), values[-1], min(values), max(values))
                for series, run, key, values in self._metrics()
            ),
        )
        yield (
            "INSERT INTO points (series, step, timestamp, value, is_nan) VALUES (?, ?, ?, ?, 0)",
            (
                (series, step, _time(run, step), value)
                for series, run, _, values in self._metrics()
                for step, value in enumerate(values)
            ),
        )

    def mlflow_statements(self) -> Iterator[tuple[str, Iterator[tuple[object, ...]]]]:
        """The same for MLflow's tables, as its version 3.17 has them: runs are known by their ids alone."""
        last = self._shape.points - 1
        yield _MLFLOW_RUN, (self._run(number)[1:] for number in self._numbers)
        for table, rows in (("params", self._params()), ("tags", self._tags())):
            statement = f"INSERT INTO {table} (run_uuid, key, value) VALUES (?, ?, ?)"
            yield statement, ((_id(run), key, value) for run, key, value in rows)
        yield (
            _MLFLOW_POINTS.format("latest_metrics"),
            ((_id(run), key, last, _time(run, last), values[-1]) for _, run, key, values in self._metrics()),
        )
        yield (
            _MLFLOW_POINTS.format("metrics"),
            (
                (_id(run), key, step, _time(run, step), value)
                for _, run, key, values in self._metrics()
                for step, value in enumerate(values)
            ),
        )

    def _run(self, number: int) -> tuple[object, ...]:
        run, start = self._last + number + 1, START + 1000 * number
        name, user = name_of(number), ("ann", "bob")[number % 2]
        status = "FAILED" if number % 17 == 3 else "FINISHED"
        uri = f"mlflow-artifacts:/{self._experiment}/{_id(run)}/artifacts"
        return run, _id(run), self._experiment, name, user, status, start, start + 60_000, uri

    def _params(self) -> Iterator[tuple[int, str, str]]:
        for number in self._numbers:
            for place in range(self._shape.params):
                # The first are as in a sweep, one in ten is the same everywhere.
                value = "relu" if place % 10 == 9 else f"{number * (place + 3) % (7 + 5 * place) / 100:g}"
                yield self._last + number + 1, f"param_{place:03}", value

    def _tags(self) -> Iterator[tuple[int, str, str]]:
        for number in self._numbers:
            run = self._last + number + 1
            named = [
                ("mlflow.runName", name_of(number)),
                ("mlflow.source.name", "train.py"),
                ("mlflow.user", "ann"),
            ]
            for place in range(self._shape.tags):
                key, value = named[place] if place < 3 else (f"tag_{place}", f"value {number % 5}")
                yield run, key, value

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


def name_of(number: int) -> str:
    """Of a run of an experiment, counted from 0."""
    return f"{('calm', 'bold', 'swift')[number % 3]}-run-{number}"


def _id(run: int) -> str:
    return f"{run:032x}"


def _time(run: int, step: int) -> int:
    return START + 1000 * run + 100 * step
