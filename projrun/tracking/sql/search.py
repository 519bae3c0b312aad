"""Searches over runs and experiments, a page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from projrun.errors import InvalidValueError
from projrun.tracking.entities import ExperimentPage, RunPage, ViewType
from projrun.tracking.search.grammar import EXPERIMENTS, RUNS
from projrun.tracking.search.pages import page_offset, page_token
from projrun.tracking.sql import experiments, limits, run_rows
from projrun.tracking.sql.database import Row
from projrun.tracking.sql.queries import Clause, Kind, select

MAX_EXPERIMENTS = 500
"""Ids in one search: SQLite before 3.32 takes 999 variables in a statement."""

_RUNS = Kind(
    RUNS,
    "runs",
    "id",
    "run",
    {"metric": "latest_metrics", "param": "params", "tag": "tags"},
    "runs.start_time DESC, runs.run_id",
)
_EXPERIMENTS = Kind(
    EXPERIMENTS,
    "experiments",
    "experiment_id",
    "experiment_id",
    {"tag": "experiment_tags"},
    "experiments.creation_time DESC, experiments.experiment_id DESC",
    frozenset({"experiment_id"}),
)


def search_runs(
    connection: sqlite3.Connection,
    experiment_ids: Sequence[str],
    filter_string: str,
    view_type: ViewType,
    max_results: int,
    order_by: Sequence[str],
    token: str,
) -> RunPage:
    """The newest first where no order is given. Raises InvalidValueError."""
    if len(experiment_ids) > MAX_EXPERIMENTS:
        raise InvalidValueError(
            f"at most {MAX_EXPERIMENTS} experiments in one search, not {len(experiment_ids)}"
        )
    numbers = tuple(experiments.number_of(identifier) for identifier in experiment_ids)
    where = Clause(f"runs.experiment_id IN ({', '.join('?' * len(numbers))})", numbers)
    rows, following = _page(
        connection, _RUNS, run_rows.COLUMNS, where, filter_string, view_type, max_results, order_by, token
    )
    return RunPage(tuple(run_rows.from_rows(connection, rows)), following)


def search_experiments(
    connection: sqlite3.Connection,
    filter_string: str,
    view_type: ViewType,
    max_results: int,
    order_by: Sequence[str],
    token: str,
) -> ExperimentPage:
    """The newest first where no order is given. Raises InvalidValueError."""
    rows, following = _page(
        connection,
        _EXPERIMENTS,
        experiments.COLUMNS,
        Clause("1 = 1"),
        filter_string,
        view_type,
        max_results,
        order_by,
        token,
    )
    return ExperimentPage(tuple(experiments.from_rows(connection, rows)), following)


def _page(
    connection: sqlite3.Connection,
    kind: Kind,
    columns: str,
    where: Clause,
    filter_string: str,
    view_type: ViewType,
    max_results: int,
    order_by: Sequence[str],
    token: str,
) -> tuple[list[Row], str]:
    """A page's rows and the token of the next: one row more is read, to know whether there is one."""
    limits.check_page(max_results, limits.SEARCH_RESULTS)
    offset = page_offset(token)
    statement = select(
        kind,
        columns,
        where=where,
        filter_string=filter_string,
        order_by=order_by,
        view_type=view_type,
        limit=max_results + 1,
        offset=offset,
    )
    rows = connection.execute(statement.text, statement.values).fetchall()
    more = len(rows) > max_results
    return rows[:max_results], page_token(offset + max_results) if more else ""
