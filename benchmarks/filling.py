"""A large store for each server: the same runs in an experiment `large`, and one run with a long history.

Written into the databases directly: MLflow's server would take hours.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.served import Client, Served

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
    with _inserting(served.kept.database) as insert:
        _FILL[served.kept.kind](insert, int(experiment), sizes)
    if not served.kept.database.startswith("sqlite:"):
        with _postgres(served.kept.database) as connected:
            connected.execute("VACUUM ANALYZE")  # as it does by itself, a minute later


Insert = Callable[[str, str, Iterable[tuple[Any, ...]]], None]
"""Writes rows: the table, its columns with commas, the values."""

_RUN = (
    "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, source_version,"
    " lifecycle_stage, artifact_uri, experiment_id"
)
_POINT = "key, value, timestamp, step, is_nan, run_uuid"


_FIRST = 1_000_000
"""Keys that the database would take long to give: it does not know of those that are given here."""


def _fill_ours(insert: Insert, experiment: int, sizes: Sizes) -> None:
    """The tables of projrun's schema 7 and later."""
    columns = "id, run_id, experiment_id, run_name, user_id, status, start_time, artifact_uri"
    keys = {run_id: key for key, (run_id, _) in enumerate(_starts(sizes), _FIRST)}
    made = ("run", "me", "RUNNING")
    started = (
        (keys[run], run, experiment, *made, start, "mlflow-artifacts:/x") for run, start in _starts(sizes)
    )
    insert("runs", columns, started)
    insert("params", "run, key, value", ((keys[run], key, value) for key, value, run in _param_rows(sizes)))
    histories = {name: number for number, name in enumerate(("long", "short"), _FIRST)}
    last = [(name, _value(count - 1), START + count - 1, count - 1) for name, count in _lengths(sizes)]
    latest = [*((*point, False, LONG_RUN) for point in last), *_latest_rows(sizes)]
    columns = "id, run, key, model_id, dataset_name, dataset_digest, step, timestamp, value, is_nan, latest, ordered"
    insert(
        "series",
        columns,
        (
            (number, keys[run], key, "", "", "", step, timestamp, value, 0, 1, 1)
            for number, (key, value, timestamp, step, _, run) in enumerate(latest, _FIRST)
        ),
    )
    points = "series, step, timestamp, value, is_nan"
    long = ((histories[key], step, time, value, 0) for key, value, time, step, *_ in _point_rows(sizes))
    insert("points", points, long)
    singles = enumerate(_latest_rows(sizes), _FIRST + len(last))
    insert("points", points, ((number, 1, START, value, 0) for number, (_, value, *_) in singles))


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


_FILL = {"projrun": _fill_ours, "mlflow": _fill_mlflow, "fasttrackml": _fill_fasttrackml}


def _starts(sizes: Sizes) -> Iterator[tuple[str, int]]:
    """Of each run, its id and when it started."""
    yield LONG_RUN, 1
    for run in runs(sizes.runs):
        yield run.run_id, START + run.number


def _run_rows(experiment: int, sizes: Sizes) -> Iterator[tuple[Any, ...]]:
    for run_id, start in _starts(sizes):
        end = ("", "active", "mlflow-artifacts:/x", experiment)
        yield run_id, "run", "LOCAL", "", "", "me", "RUNNING", start, *end


def _param_rows(sizes: Sizes) -> Iterator[tuple[Any, ...]]:
    return ((key, value, run.run_id) for run in runs(sizes.runs) for key, value in run.params.items())


def _latest_rows(sizes: Sizes) -> Iterator[tuple[Any, ...]]:
    for run in runs(sizes.runs):
        for key, value in run.metrics.items():
            yield key, value, START, 1, False, run.run_id


def _point_rows(sizes: Sizes) -> Iterator[tuple[Any, ...]]:
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

        def insert(table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
            places = ", ".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)

        yield insert


def _into_postgres(connected: psycopg.Connection) -> Insert:
    def insert(table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
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


def _lengths(sizes: Sizes) -> tuple[tuple[str, int], ...]:
    return ("long", sizes.points), ("short", SHORT)


def _histories(sizes: Sizes, most: int) -> Iterator[tuple[str, range]]:
    """The keys and steps of the run with histories, some at a time."""
    for key, count in _lengths(sizes):
        for start in range(0, count, most):
            yield key, range(start, min(start + most, count))


def _value(step: int) -> float:
    return (step * 7919 % 10007) / 10007
