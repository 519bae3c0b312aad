"""A large store for each server: the same runs in an experiment `large`, and one run with a long history.

Written into the databases directly: MLflow's server would take hours.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.served import Client, Served
from benchmarks.timing import progress
from projrun.tracking.entities import Metric, Param
from projrun.tracking.open import open_store
from projrun.tracking.parts import NotKeptError, part_of
from projrun.tracking.runs import LocalStore, RunStore
from projrun.tracking.uri import parse_tracking_uri

if TYPE_CHECKING:
    import psycopg

START = 1_790_000_000_000
LONG_RUN = f"{10**15:032x}"
SHORT = 2_000
"""Points of the history `short`, which is read whole."""
_KEYS = ("loss", "acc")


class Sizes(NamedTuple):
    """How much there is to search and to read."""

    runs: int
    points: int


class Run(NamedTuple):
    """A run to search for."""

    number: int
    run_id: str
    params: dict[str, str]
    metrics: dict[str, float]


def runs(count: int) -> Iterator[Run]:
    """The runs, the same for each server."""
    chance = random.Random(7)
    for number in range(count):
        params = {
            "lr": str(chance.choice([0.1, 0.01, 0.001])),
            "depth": str(chance.randrange(20)),
            "model": chance.choice(["rf", "xgb", "nn"]),
        }
        yield Run(number, f"{number + 1:032x}", params, {key: chance.random() for key in _KEYS})


def fill(served: Served, sizes: Sizes) -> None:
    """Fill the server's store. The server sees what is written beside it."""
    client = Client(served.port)
    experiment: str = client.post("experiments/create", name="large")["experiment_id"]
    if served.kept.kind == "projrun":
        _fill_ours(served.kept.database, experiment, sizes)
    elif served.kept.kind == "mlflow":
        with _inserting(served.kept.database) as insert:
            _fill_mlflow(insert, int(experiment), sizes)
    else:
        with _inserting(served.kept.database) as insert:
            _fill_fasttrackml(insert, int(experiment), sizes)
    if not served.kept.database.startswith("sqlite:"):
        with _postgres(served.kept.database) as connected:
            connected.execute("VACUUM ANALYZE")  # as it does by itself, a minute later


def _fill_ours(uri: str, experiment: str, sizes: Sizes) -> None:
    tracking = parse_tracking_uri(uri)
    opened = open_store(tracking, os.environ, warn=progress, served=True)
    with closing(opened) as store, _joined(store):
        for run in runs(sizes.runs):
            store.create_run(experiment, start_time=START + run.number, origin_id=run.run_id)
            metrics = [Metric(key, value, START, 1) for key, value in run.metrics.items()]
            params = [Param(key, value) for key, value in run.params.items()]
            store.log_batch(run.run_id, params=params, metrics=metrics)
        store.create_run(experiment, start_time=1, origin_id=LONG_RUN)
        for key, steps in _histories(sizes, 10_000):
            points = [Metric(key, _value(step), START + step, step) for step in steps]
            store.log_batch(LONG_RUN, metrics=points)


def _joined(store: RunStore) -> AbstractContextManager[None]:
    """Many writes as one, where the store can do that: PostgreSQL's takes some minutes for 100,000 runs."""
    try:
        return part_of(store, LocalStore).joined()
    except NotKeptError:
        return nullcontext()


Insert = Callable[[str, str, Iterable[tuple[object, ...]]], None]
"""Writes rows: the table, its columns with commas, the values."""

_RUN = (
    "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, source_version,"
    " lifecycle_stage, artifact_uri, experiment_id"
)
_POINT = "key, value, timestamp, step, is_nan, run_uuid"


def _fill_mlflow(insert: Insert, experiment: int, sizes: Sizes) -> None:
    """MLflow's tables, as its version 3.17 has them."""
    insert("runs", _RUN, _run_rows(experiment, sizes))
    insert("params", "key, value, run_uuid", _param_rows(sizes))
    insert("latest_metrics", _POINT, _latest_rows(sizes))
    insert("metrics", _POINT, _point_rows(sizes))


def _fill_fasttrackml(insert: Insert, experiment: int, sizes: Sizes) -> None:
    """Its tables are MLflow's and what Aim needs: numbers of runs, kinds of params, the context that has no names."""
    numbered = enumerate(_run_rows(experiment, sizes))
    insert("runs", f"{_RUN}, row_num", ((*row, number) for number, row in numbered))
    insert("params", "key, value_str, run_uuid", _param_rows(sizes))
    insert(
        "latest_metrics", f"{_POINT}, last_iter, context_id", ((*row, 1, 1) for row in _latest_rows(sizes))
    )
    insert("metrics", f"{_POINT}, iter, context_id", ((*row, row[3], 1) for row in _point_rows(sizes)))


def _run_rows(experiment: int, sizes: Sizes) -> Iterator[tuple[object, ...]]:
    starts = [(LONG_RUN, 1), *((run.run_id, START + run.number) for run in runs(sizes.runs))]
    for run_id, start in starts:
        end = ("", "active", "mlflow-artifacts:/x", experiment)
        yield run_id, "run", "LOCAL", "", "", "me", "RUNNING", start, *end


def _param_rows(sizes: Sizes) -> Iterator[tuple[object, ...]]:
    return ((key, value, run.run_id) for run in runs(sizes.runs) for key, value in run.params.items())


def _latest_rows(sizes: Sizes) -> Iterator[tuple[object, ...]]:
    for run in runs(sizes.runs):
        for key, value in run.metrics.items():
            yield key, value, START, 1, False, run.run_id


def _point_rows(sizes: Sizes) -> Iterator[tuple[object, ...]]:
    for key, steps in _histories(sizes, 10_000):
        for step in steps:
            yield key, _value(step), START + step, step, False, LONG_RUN


@contextmanager
def _inserting(uri: str) -> Iterator[Insert]:
    """Into the database of a server, all of it in one transaction."""
    if not uri.startswith("sqlite:"):
        with _postgres(uri) as connected, connected.transaction():
            yield _into_postgres(connected)
        return
    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"), timeout=60)) as connection, connection:

        def insert(table: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
            places = ", ".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)

        yield insert


def _into_postgres(connected: psycopg.Connection) -> Insert:
    def insert(table: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
        statement = f"COPY {table} ({columns}) FROM STDIN"
        with connected.cursor().copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    return insert


@contextmanager
def _postgres(uri: str) -> Iterator[psycopg.Connection]:
    import psycopg

    with closing(psycopg.connect(f"postgresql:{uri.partition(':')[2]}", autocommit=True)) as connected:
        yield connected


def _histories(sizes: Sizes, most: int) -> Iterator[tuple[str, range]]:
    """The keys and steps of the run with histories, some at a time."""
    for key, count in (("long", sizes.points), ("short", SHORT)):
        for start in range(0, count, most):
            yield key, range(start, min(start + most, count))


def _value(step: int) -> float:
    return (step * 7919 % 10007) / 10007
