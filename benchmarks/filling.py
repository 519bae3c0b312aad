"""A large store for each server: the same runs in an experiment `large`, and one run with a long history.

projrun's and MLflow's SQLite files are filled directly, which MLflow's server would take hours for; others by calls.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.served import Client, Served
from projrun.tracking.entities import Metric, Param
from projrun.tracking.parts import part_of
from projrun.tracking.runs import LocalStore
from projrun.tracking.sql.store import SqlStore

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


def fill(served: Served, sizes: Sizes) -> str:
    """Fill the server's store; the id of the experiment. The server sees what is written beside it."""
    client = Client(served.port)
    experiment: str = client.post("experiments/create", name="large")["experiment_id"]
    path = Path(served.kept.database.removeprefix("sqlite:///"))
    if served.kept.kind == "projrun" and path.is_file():
        _fill_ours(path, experiment, sizes)
        return LONG_RUN
    if served.kept.kind == "mlflow" and path.is_file():
        _fill_mlflow(path, experiment, sizes)
        return LONG_RUN
    return _fill_by_calls(client, experiment, sizes)


def _fill_ours(path: Path, experiment: str, sizes: Sizes) -> None:
    with closing(SqlStore.open(path)) as store, part_of(store, LocalStore).joined():
        for run in runs(sizes.runs):
            store.create_run(experiment, start_time=START + run.number, origin_id=run.run_id)
            metrics = [Metric(key, value, START, 1) for key, value in run.metrics.items()]
            params = [Param(key, value) for key, value in run.params.items()]
            store.log_batch(run.run_id, params=params, metrics=metrics)
        store.create_run(experiment, start_time=1, origin_id=LONG_RUN)
        for key, steps in _histories(sizes, 10_000):
            points = [Metric(key, _value(step), START + step, step) for step in steps]
            store.log_batch(LONG_RUN, metrics=points)


def _fill_mlflow(path: Path, experiment: str, sizes: Sizes) -> None:
    """MLflow's tables, as its version 3.17 has them."""
    with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
        ids = [(LONG_RUN, 1), *((run.run_id, START + run.number) for run in runs(sizes.runs))]
        connection.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
            " start_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
            " VALUES (?, 'run', 'LOCAL', '', '', 'me', 'RUNNING', ?, '', 'active', 'mlflow-artifacts:/x', ?)",
            [(run_id, start, int(experiment)) for run_id, start in ids],
        )
        params = [(key, value, run.run_id) for run in runs(sizes.runs) for key, value in run.params.items()]
        connection.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", params)
        columns = "(key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)"
        latest = [
            (key, value, START, 1, run.run_id)
            for run in runs(sizes.runs)
            for key, value in run.metrics.items()
        ]
        connection.executemany(f"INSERT INTO latest_metrics {columns}", latest)
        for key, steps in _histories(sizes, 10_000):
            points = [(key, _value(step), START + step, step, LONG_RUN) for step in steps]
            connection.executemany(f"INSERT INTO metrics {columns}", points)


def _fill_by_calls(client: Client, experiment: str, sizes: Sizes) -> str:
    for run in runs(sizes.runs):
        created = client.post("runs/create", experiment_id=experiment, start_time=START + run.number)
        metrics = [
            {"key": key, "value": value, "timestamp": START, "step": 1} for key, value in run.metrics.items()
        ]
        params = [{"key": key, "value": value} for key, value in run.params.items()]
        run_id = created["run"]["info"]["run_id"]
        client.post("runs/log-batch", run_id=run_id, metrics=metrics, params=params)
    long: str = client.post("runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"]
    for key, steps in _histories(sizes, 1000):
        metrics = [
            {"key": key, "value": _value(step), "timestamp": START + step, "step": step} for step in steps
        ]
        client.post("runs/log-batch", run_id=long, metrics=metrics)
    return long


def _histories(sizes: Sizes, most: int) -> Iterator[tuple[str, range]]:
    """The keys and steps of the run with histories, some at a time."""
    for key, count in (("long", sizes.points), ("short", SHORT)):
        for start in range(0, count, most):
            yield key, range(start, min(start + most, count))


def _value(step: int) -> float:
    return (step * 7919 % 10007) / 10007
