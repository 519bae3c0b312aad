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
METRIC_COLUMNS = "key, timestamp, step, value, is_nan, dataset_name, dataset_digest, model_id"

_METRIC, _PARAM, _TAG, _DATASET, _MODEL, _RUN = range(6)
_first, _last_two = itemgetter(0), itemgetter(1, 2)
_of_run, _pair, _in_order = itemgetter(0, 1), itemgetter(2, 11), itemgetter(0, 1, 2)


def _logged(where: str, more: str = "", *, texts: bool = True) -> str:
    """The statement of all that runs logged: each row has its kind, the run, and what a metric has; texts come last.

    Whether there are datasets and models is said, which are read where there are some. `more` is a column beyond.
    Without `texts`, params and tags are left out.
    """
    nothing = "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
    of_texts = (
        f" UNION ALL SELECT {_PARAM}, run, key, {nothing}, value{more} FROM params WHERE {where}"
        f" UNION ALL SELECT {_TAG}, run, key, {nothing}, value{more} FROM tags WHERE {where}"
    )
    return (
        f"SELECT {_METRIC}, run, {METRIC_COLUMNS}, latest, NULL{more} FROM series WHERE {where}"
        f"{of_texts if texts else ''}"
        f" UNION ALL SELECT {_DATASET}, run, '', {nothing}, ''{more} FROM run_datasets WHERE {where}"
        f" UNION ALL SELECT {_MODEL}, run, '', {nothing}, ''{more} FROM run_models WHERE {where}"
    )


_FIGURES_OF_MANY = _logged("run IN ({keys})", texts=False)
_OF_MANY = _logged("run IN ({keys})")
"""A database elsewhere is waited for at each statement."""
_OF_ONE = (
    f"SELECT {_RUN}, id, run_id, start_time, end_time, CAST(0 AS DOUBLE PRECISION), experiment_id,"
    " run_name, status, user_id, 0, artifact_uri, lifecycle_stage FROM runs WHERE run_id = ? UNION ALL "
    + _logged("run = (SELECT id FROM runs WHERE run_id = ?)", ", NULL")
)


def from_rows(connection: Connection, rows: Sequence[Row]) -> list[Run]:
    """The runs of rows of COLUMNS, in their order."""
    found = {row[0]: _Logged(row[1]) for row in rows}
    if connection.dialect.is_near:
        _read_texts(connection, found)
        more = _gather(select_in(connection, _FIGURES_OF_MANY, found), found)
    else:
        more = _gather(select_in(connection, _OF_MANY, found), found)
    if _DATASET in more:
        _read_inputs(connection, found)
    if _MODEL in more:
        _read_models(connection, found)
    return [_assemble(row, found[row[0]]) for row in rows]


def read_one(connection: Connection, run_id: str) -> tuple[Run | None, bool]:
    """A run in one statement, None where there is none; and whether it has more, datasets and models."""
    rows = connection.execute(_OF_ONE, (run_id,) * 6).fetchall()
    own = next((row for row in rows if row[0] == _RUN), None)
    if own is None:
        return None, False
    _, key, _, start, end, _, experiment, name, status, user, _, place, stage = own
    logged = _Logged(run_id)
    more = _gather([row for row in rows if row[0] != _RUN], {key: logged})
    return _assemble((key, run_id, experiment, name, status, start, end, place, user, stage), logged), bool(
        more
    )


def _read_texts(connection: Connection, found: dict[int, _Logged]) -> None:
    """Params and tags by themselves: there may be thousands, and columns of nothing are paid for."""
    for run, group in groupby(_select(connection, found, "run, key, value FROM params", "key"), _first):
        found[run].params.extend(map(_new, repeat(Param), map(_last_two, group)))
    for run, group in groupby(_select(connection, found, "run, key, value FROM tags", "key"), _first):
        found[run].tags.extend(map(_new, repeat(Tag), map(_last_two, group)))


def _gather(rows: list[Row], found: dict[int, _Logged]) -> set[int]:
    """What else there is."""
    more = set()
    rows.sort(key=_in_order)
    for (kind, run), group in groupby(rows, _of_run):
        logged = found[run]
        if kind == _PARAM:
            logged.params.extend(map(_new, repeat(Param), map(_pair, group)))
        elif kind == _TAG:
            logged.tags.extend(map(_new, repeat(Tag), map(_pair, group)))
        elif kind == _METRIC:
            for row in group:
                if row[10]:
                    logged.metrics.append(metric_from_row(row[2:10], logged.run_id))
        else:
            more.add(kind)
    return more


def metric_from_row(row: Sequence[Any], run_id: str) -> Metric:
    """A metric from a row of METRIC_COLUMNS."""
    key, timestamp, step, value, is_nan, name, digest, model_id = row
    value = NAN if is_nan else value
    return _new(Metric, (key, value, timestamp, step, name or None, digest or None, model_id or None, run_id))


class _Logged:
    """What one run logged, while it is being gathered."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.params: list[Param] = []
        self.tags: list[Tag] = []
        self.metrics: list[Metric] = []
        self.datasets: dict[int, Dataset] = {}
        self.models: dict[str, list[ModelOutput]] = {"input": [], "output": []}


def _read_models(connection: Connection, found: dict[int, _Logged]) -> None:
    what, order = "run, direction, model_id, step FROM run_models", "step, model_id"
    for run, direction, model_id, step in _select(connection, found, what, order):
        found[run].models[direction].append(ModelOutput(model_id, step))


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
