"""Rows of runs become `Run` values with all that they logged, in the same few queries for any number."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, repeat
from operator import itemgetter

from projrun.tracking.entities import Dataset, Metric, ModelOutput, Param, Run, Tag
from projrun.tracking.sql.engine import Connection, Row, select_in
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

COLUMNS = (
    "id, run_id, experiment_id, run_name, status, start_time, end_time, artifact_uri, user_id,"
    " lifecycle_stage"
)
NAN = float("nan")
_new = tuple.__new__
"""Of records by the hundred: their own constructors look for defaults."""
_of_run, _pair = itemgetter(0, 1), itemgetter(2, 3)

_PARAM, _TAG, _DATASET, _MODEL = range(4)
_TEXTS = (
    f"SELECT {_PARAM}, run, key, value FROM params WHERE run IN ({{keys}})"
    f" UNION ALL SELECT {_TAG}, run, key, value FROM tags WHERE run IN ({{keys}})"
    f" UNION ALL SELECT {_DATASET}, run, '', '' FROM run_datasets WHERE run IN ({{keys}})"
    f" UNION ALL SELECT {_MODEL}, run, '', '' FROM run_models WHERE run IN ({{keys}})"
)
"""Params and tags, and whether there are datasets and models: of a database elsewhere, each statement is waited for."""


def from_rows(connection: Connection, rows: Sequence[Row]) -> list[Run]:
    """The runs of rows of COLUMNS, in their order."""
    found = {row[0]: _Logged() for row in rows}
    more = _read_texts(connection, found)
    run_ids = {row[0]: row[1] for row in rows}
    for row in _select(connection, found, f"run, latest, {METRIC_COLUMNS} FROM series", "key"):
        if row[1]:
            found[row[0]].metrics.append(metric_from_row(row[2:], run_ids[row[0]]))
    if _DATASET in more:
        _read_inputs(connection, found)
    if _MODEL in more:
        for run, direction, model_id, step in _select(
            connection, found, "run, direction, model_id, step FROM run_models", "step, model_id"
        ):
            found[run].models[direction].append(ModelOutput(model_id, step))
    return [_assemble(row, found[row[0]]) for row in rows]


def _read_texts(connection: Connection, found: dict[int, _Logged]) -> set[int]:
    """What else there is."""
    more = set()
    rows = select_in(connection, _TEXTS, found)
    rows.sort()
    for (kind, run), group in groupby(rows, _of_run):
        if kind == _PARAM:
            found[run].params.extend(map(_new, repeat(Param), map(_pair, group)))
        elif kind == _TAG:
            found[run].tags.extend(map(_new, repeat(Tag), map(_pair, group)))
        else:
            more.add(kind)
    return more


METRIC_COLUMNS = "key, timestamp, step, value, is_nan, dataset_name, dataset_digest, model_id"


def metric_from_row(row: Sequence[Any], run_id: str) -> Metric:
    """A metric from a row of METRIC_COLUMNS."""
    key, timestamp, step, value, is_nan, name, digest, model_id = row
    value = NAN if is_nan else value
    return _new(Metric, (key, value, timestamp, step, name or None, digest or None, model_id or None, run_id))


class _Logged:
    """What one run logged, while it is being gathered."""

    def __init__(self) -> None:
        self.params: list[Param] = []
        self.tags: list[Tag] = []
        self.metrics: list[Metric] = []
        self.datasets: dict[int, Dataset] = {}
        self.models: dict[str, list[ModelOutput]] = {"input": [], "output": []}


def _select(connection: Connection, found: dict[int, _Logged], what: str, order: str) -> list[Row]:
    return select_in(connection, f"SELECT {what} WHERE run IN ({{keys}}) ORDER BY run, {order}", found)


def _read_inputs(connection: Connection, found: dict[int, _Logged]) -> None:
    statement = (
        "SELECT run, id, name, digest, source_type, source, schema, profile FROM run_datasets"
        " JOIN datasets ON id = dataset WHERE run IN ({keys}) ORDER BY run, id"
    )
    for key, number, *dataset in select_in(connection, statement, found):
        found[key].datasets[number] = Dataset(*dataset)
    tags = "run, dataset, key, value FROM run_dataset_tags"
    for key, number, *tag in _select(connection, found, tags, "dataset, key"):
        dataset_read = found[key].datasets[number]
        found[key].datasets[number] = dataset_read._replace(tags=(*dataset_read.tags, Tag(*tag)))


def _assemble(row: Row, logged: _Logged) -> Run:
    _, run_id, experiment_id, *information = row
    values = (
        *(run_id, str(experiment_id), *information),
        tuple(logged.metrics),
        tuple(logged.params),
        tuple(logged.tags),
        tuple(logged.datasets.values()),
        tuple(model.model_id for model in logged.models["input"]),
        tuple(logged.models["output"]),
    )
    return _new(Run, values)
