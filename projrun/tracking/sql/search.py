"""Searches over experiments and runs, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projrun.errors import InvalidValueError
from projrun.tracking import limits
from projrun.tracking.entities import ExperimentPage, RunPage
from projrun.tracking.search.grammar import EXPERIMENTS, RUNS, Comparison, parse_filter
from projrun.tracking.search.pages import make_token, read_token
from projrun.tracking.sql import experiments, run_rows
from projrun.tracking.sql.choices import Wanted
from projrun.tracking.sql.engine import Connection, Row, in_list
from projrun.tracking.sql.paging import Clause, SortKey
from projrun.tracking.sql.plans import find
from projrun.tracking.sql.queries import Kind, Page, keys_of, parse_orderings, select
from projrun.tracking.statuses import ViewType

MAX_EXPERIMENTS = 20_000
"""Ids in one search: SQLite takes a statement of a million characters."""

_RUNS = Kind(
    RUNS,
    "runs",
    "id",
    "run",
    {"metric": "latest_metrics", "param": "params", "tag": "tags"},
    (SortKey("runs.start_time", int, descending=True), SortKey("runs.id", int, descending=True)),
)
_EXPERIMENTS = Kind(
    EXPERIMENTS,
    "experiments",
    "experiment_id",
    "experiment_id",
    {"tag": "experiment_tags"},
    (
        SortKey("experiments.creation_time", int, descending=True),
        SortKey("experiments.experiment_id", int, descending=True),
    ),
    frozenset({"experiment_id"}),
)
_STAGES: dict[ViewType, tuple[str, ...]] = {
    "ACTIVE_ONLY": ("active",),
    "DELETED_ONLY": ("deleted",),
    "ALL": ("active", "deleted"),
}


class Search(NamedTuple):
    """What is asked for, whatever it is that is searched."""

    filter_string: str = ""
    max_results: int = 1000
    order_by: Sequence[str] = ()
    page_token: str = ""


def search_runs(
    connection: Connection, experiment_ids: Sequence[str], view_type: ViewType, search: Search
) -> RunPage:
    """The newest first where no order is given. Raises InvalidValueError."""
    limits.check_page(search.max_results, limits.SEARCH_RESULTS)
    wanted = wanted_runs(experiment_ids, view_type, search)
    rows = find(connection, wanted)
    own = len(run_rows.COLUMNS.split(", "))
    more = len(rows) > search.max_results
    runs = run_rows.from_rows(connection, [row[:own] for row in rows[: search.max_results]])
    return RunPage(tuple(runs), make_token(rows[search.max_results - 1][own:]) if more else "")


def wanted_runs(experiment_ids: Sequence[str], view_type: ViewType, search: Search) -> Wanted:
    """A search of runs as read from what was asked for: one row more, to know whether there is a next page."""
    orderings = parse_orderings(_RUNS, search.order_by)
    keys = [key for place, ordering in enumerate(orderings) for key in keys_of(_RUNS, place, ordering)]
    kinds = [key.kind for key in (*keys, *_RUNS.ties)]
    return Wanted(
        _RUNS,
        run_rows.COLUMNS,
        _numbers(experiment_ids),
        _STAGES[view_type],
        parse_filter(search.filter_string, RUNS),
        orderings,
        search.max_results + 1,
        read_token(search.page_token, kinds) if search.page_token else None,
    )


def search_experiments(connection: Connection, view_type: ViewType, search: Search) -> ExperimentPage:
    """The newest first where no order is given. Raises InvalidValueError."""
    where = _in_stage("experiments", view_type)
    rows, following = _page(connection, _EXPERIMENTS, experiments.COLUMNS, where, search)
    return ExperimentPage(tuple(experiments.from_rows(connection, rows)), following)


def in_experiments(table: str, experiment_ids: Sequence[str]) -> Clause:
    """Those of some experiments. Raises InvalidValueError."""
    numbers = _numbers(experiment_ids)
    listed = ", ".join(map(str, numbers))
    return Clause(f"{table}.experiment_id IN ({listed})" if numbers else "1 = 0")


def _numbers(experiment_ids: Sequence[str]) -> tuple[int, ...]:
    if len(experiment_ids) > MAX_EXPERIMENTS:
        raise InvalidValueError(
            f"at most {MAX_EXPERIMENTS} experiments in one search, not {len(experiment_ids)}"
        )
    return tuple(experiments.number_of(identifier) for identifier in experiment_ids)


def _in_stage(table: str, view_type: ViewType) -> Clause:
    stages = _STAGES[view_type]
    return Clause(in_list(f"{table}.lifecycle_stage", stages), stages)


def _page(
    connection: Connection, kind: Kind, columns: str, where: Clause, search: Search
) -> tuple[list[Row], str]:
    limits.check_page(search.max_results, limits.SEARCH_RESULTS)
    comparisons = parse_filter(search.filter_string, kind.searchable)
    return find_page(connection, kind, columns, where, comparisons, search)


def find_page(
    connection: Connection,
    kind: Kind,
    columns: str,
    where: Clause,
    comparisons: Sequence[Comparison],
    search: Search,
) -> tuple[list[Row], str]:
    """A page's rows and the token of the next; `comparisons` are those of the search's filter."""
    orderings = parse_orderings(kind, search.order_by)
    keys = [key for place, ordering in enumerate(orderings) for key in keys_of(kind, place, ordering)]
    page = Page([*keys, *kind.ties], search.max_results, search.page_token)
    statement = select(
        connection.dialect,
        kind,
        columns,
        where=where,
        comparisons=comparisons,
        orderings=orderings,
        page=page,
    )
    return page.read(connection, statement)
