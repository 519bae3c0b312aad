"""The search of traces."""

from __future__ import annotations

from collections.abc import Sequence

from projrun.tracking import limits
from projrun.tracking.search.grammar import TRACES, Comparison, parse_filter
from projrun.tracking.sql.engine import Connection
from projrun.tracking.sql.paging import Clause, SortKey, joined
from projrun.tracking.sql.queries import Kind
from projrun.tracking.sql.search import Search, find_page, in_experiments
from projrun.tracking.sql.traces import rows
from projrun.tracking.traces import TracePage

_KIND = Kind(
    TRACES,
    "traces",
    "id",
    "trace",
    {"tag": "trace_tags", "metadata": "trace_metadata"},
    (SortKey("traces.request_time", int, descending=True), SortKey("traces.id", int, descending=True)),
    frozenset({"experiment_id"}),
)


def search(connection: Connection, experiment_ids: Sequence[str], wanted: Search) -> TracePage:
    """The newest first where no order is given. Raises InvalidValueError."""
    limits.check_page(wanted.max_results, limits.SEARCH_RESULTS)
    comparisons = parse_filter(wanted.filter_string, TRACES)
    where = [in_experiments("traces", experiment_ids)]
    where += [_of_run(comparison) for comparison in comparisons if _is_run(comparison)]
    others = [comparison for comparison in comparisons if not _is_run(comparison)]
    found, token = find_page(connection, _KIND, rows.COLUMNS, joined(" AND ", where), others, wanted)
    return TracePage(rows.from_rows(connection, found), token)


def _is_run(comparison: Comparison) -> bool:
    return comparison.field[:2] == ("attribute", "run_id") and comparison.operator == "="


def _of_run(comparison: Comparison) -> Clause:
    """A run's traces are those that it made, and those that were linked to it."""
    return Clause(
        "(traces.run_id = ? OR EXISTS (SELECT 1 FROM trace_runs"
        " WHERE trace_runs.trace = traces.id AND trace_runs.run_id = ?))",
        (comparison.value, comparison.value),
    )
