"""How a page of runs is found in a store of many: in the order they are wanted in, by one filter, or by experiment.

SQLite keeps no statistics that could tell; to count the rows that an index gives for each filter, up to a bound, takes
a millisecond. Whatever is chosen, the rows are the same. A `CROSS JOIN` has SQLite read its left side first.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from projrun.tracking.search.grammar import Comparison, Field, Ordering, Value
from projrun.tracking.sql.engine import Connection, Row
from projrun.tracking.sql.paging import NULLABLE, Clause, SortKey, after, beginning, joined
from projrun.tracking.sql.queries import Kind, compare, compare_beginning, condition, join, keys_of, prefixed

COUNTED = 2_000
"""Rows up to which it is counted how many an index gives."""
_OF_RANGE = 5
"""A range is counted so many times further: nothing else says how long it is."""
_INDEXED = frozenset({"run_id", "status", "start_time", "end_time"})
_SHARE = 0.2
"""Of the runs that a filter finds which no index counts, as far as one can guess."""
_MISSING = {"metric": "0.0", "param": "''", "tag": "''", "attribute": "0"}
"""The value that stands for one that is not there."""


class Wanted(NamedTuple):
    """A page of runs: which, in which order, how many, after which position."""

    kind: Kind
    columns: str
    experiments: Sequence[int]
    where: Clause
    comparisons: Sequence[Comparison]
    orderings: Sequence[Ordering]
    limit: int
    position: Sequence[Value] | None


class Source(NamedTuple):
    """Where rows come from: tables with `runs` last among them, and what holds for them."""

    tables: str
    where: Clause
    decided: Comparison | None = None
    """The filter that they fulfil."""
    by_experiment: bool = False
    """Whether they are read by the index on experiments."""


def find(connection: Connection, wanted: Wanted) -> list[Row]:
    """The rows of the page, each with the values that it is sorted by at its end."""
    source = choose(connection, wanted)
    if source is not None:
        return _read(connection, wanted, source)
    if not wanted.orderings or not _may_be_missing(wanted.orderings[0].field):
        natural = not wanted.orderings or wanted.orderings[0].field.key == "start_time"
        by_experiment = natural and len(wanted.experiments) == 1
        return _read(connection, wanted, Source("runs", Clause("1 = 1"), by_experiment=by_experiment))
    return _read_by_rank(connection, wanted)


def choose(connection: Connection, wanted: Wanted) -> Source | None:
    """The index by which all rows are looked at; None where walking in the order that is wanted costs less."""
    best = Source("runs", Clause("1 = 1"), by_experiment=True)
    total = connection.execute("SELECT max(id) FROM runs").fetchone()[0] or 0
    fewest = _count(
        connection, "runs", "id", _in_experiments(wanted), total, exact=len(wanted.experiments) == 1
    )
    if fewest < COUNTED:
        return best
    share = fewest / total
    for comparison in wanted.comparisons:
        source = _source(connection, comparison)
        if source is None:
            share *= _SHARE
            continue
        key = "id" if source.tables == "runs" else "run"
        number = _count(connection, source.tables, key, source.where, total, exact=comparison.operator == "=")
        if not _sorts_by(wanted, comparison.field):
            share *= max(number, 1) / total
        if number < fewest:
            best, fewest = _with_runs(source), number
    return None if wanted.limit / share < fewest else best


def _count(connection: Connection, tables: str, key: str, where: Clause, total: int, *, exact: bool) -> float:
    """How many rows an index gives; beyond COUNTED an estimate.

    Rows with one value come by the run's key, which says how dense they are. Of a range, it is only known that it has
    so many rows at least.
    """
    most = COUNTED if exact else COUNTED * _OF_RANGE
    inner = f"SELECT {key} AS run FROM {tables} WHERE {where.text} LIMIT {most}"
    statement = f"SELECT count(*), max(run) FROM ({inner}) AS counted"
    number, last = connection.execute(statement, where.values).fetchone()
    if number < most:
        return float(number)
    return float(number * total / last) if exact else float((number * total) ** 0.5)


def _source(connection: Connection, comparison: Comparison) -> Source | None:
    """The rows that an index gives for a filter, if there is one for it."""
    field, operator = comparison.field, comparison.operator
    if field.entity == "attribute":
        if field.key == "run_name" and operator == "=":
            return Source("runs", compare_beginning("runs.run_name", str(comparison.value)), comparison)
        if field.key in _INDEXED and operator in ("=", "<", "<=", ">", ">=", "IN"):
            return Source("runs", compare(connection.dialect, f"runs.{field.key}", comparison), comparison)
        return None
    if field.entity == "metric" and operator != "!=":
        test = Clause(
            f"driver.key = ? AND driver.latest = 1 AND driver.is_nan = 0 AND driver.value {operator} ?",
            (field.key, comparison.value),
        )
        return Source("series AS driver", test, comparison)
    if field.entity in ("param", "tag") and operator == "=":
        test = compare_beginning("driver.value", str(comparison.value))
        where = Clause(f"driver.key = ? AND {test.text}", (field.key, *test.values))
        return Source(f"{field.entity}s AS driver", where, comparison)
    return None


def _with_runs(source: Source) -> Source:
    if source.tables == "runs":
        return source
    where = Clause(f"{source.where.text} AND runs.id = driver.run", source.where.values)
    return source._replace(tables=f"{source.tables} CROSS JOIN runs", where=where)


def _in_experiments(wanted: Wanted, prefix: str = "") -> Clause:
    """Numbers stand in the statement itself: SQLite before 3.32 takes 999 values."""
    numbers = ", ".join(map(str, wanted.experiments))
    return Clause(f"{prefix}runs.experiment_id IN ({numbers})" if numbers else "1 = 0")


def _sorts_by(wanted: Wanted, field: Field) -> bool:
    return any(
        (first.field.entity, first.field.key) == (field.entity, field.key) for first in wanted.orderings[:1]
    )


def _may_be_missing(field: Field) -> bool:
    return field.entity != "attribute" or f"runs.{field.key}" in NULLABLE


def _read(connection: Connection, wanted: Wanted, source: Source) -> list[Row]:
    """All in one statement."""
    keys = [
        key
        for place, ordering in enumerate(wanted.orderings)
        for key in keys_of(wanted.kind, place, ordering)
    ]
    joins = [join(wanted.kind, place, ordering) for place, ordering in enumerate(wanted.orderings)]
    statement = _statement(connection, wanted, source, joins, keys, (), wanted.position)
    return connection.execute(statement.text, statement.values).fetchall()


def _read_by_rank(connection: Connection, wanted: Wanted) -> list[Row]:
    """First the rows that have what the first ordering sorts by, along its index, then the others."""
    first, *others = wanted.orderings
    rest = [key for place, other in enumerate(others, 1) for key in keys_of(wanted.kind, place, other)]
    joins = [join(wanted.kind, place, other) for place, other in enumerate(others, 1)]
    found: list[Row] = []
    for rank, (source, keys) in enumerate(_ranks(wanted, first)):
        position: Sequence[Value] | None = None
        if wanted.position is not None:
            reached: int = wanted.position[0]  # type: ignore[assignment]  # a rank, as the token was read
            if rank < reached:
                continue
            if rank == reached:
                position = [*wanted.position[1 : 1 + len(keys)], *wanted.position[2:]]
        shown = (str(rank),) if keys else (str(rank), _MISSING[first.field.entity])
        part = wanted._replace(limit=wanted.limit - len(found))
        statement = _statement(connection, part, source, joins, [*keys, *rest], shown, position)
        found += connection.execute(statement.text, statement.values).fetchall()
        if len(found) >= wanted.limit:
            break
    return found


def _ranks(wanted: Wanted, ordering: Ordering) -> Iterator[tuple[Source, tuple[SortKey, ...]]]:
    """By rank, the rows and what of the ordering they are sorted by: nothing where they have no value."""
    field, down = ordering.field, ordering.descending
    if field.entity == "attribute":
        column = f"runs.{field.key}"
        yield Source("runs", Clause(f"{column} IS NOT NULL")), (SortKey(column, int, down),)
        yield Source("runs", Clause(f"{column} IS NULL")), ()
        return
    own = Clause("runs.id = sorted_0.run AND sorted_0.key = ?", (field.key,))
    if field.entity == "metric":
        latest = f"{own.text} AND sorted_0.latest = 1 AND sorted_0.is_nan = "
        tables = "series AS sorted_0 CROSS JOIN runs"
        bounds = [_bound(comparison) for comparison in wanted.comparisons if _bounds(wanted, comparison)]
        where = joined(" AND ", [Clause(f"{latest}0", own.values), *bounds])
        yield Source(tables, where), (SortKey("sorted_0.value", float, down),)
        yield Source(tables, Clause(f"{latest}1", own.values)), ()
    else:
        value = SortKey(beginning("sorted_0.value"), str, down)
        yield Source(f"{field.entity}s AS sorted_0 CROSS JOIN runs", own), (value,)
    table = wanted.kind.tables[field.entity]
    absent = f"NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.run = runs.id AND {table}.key = ?)"
    yield Source("runs", Clause(absent, (field.key,))), ()


def _bounds(wanted: Wanted, comparison: Comparison) -> bool:
    return comparison.operator != "!=" and _sorts_by(wanted, comparison.field)


def _bound(comparison: Comparison) -> Clause:
    """A filter on the metric that is sorted by: from where to where its index is read."""
    return Clause(f"sorted_0.value {comparison.operator} ?", (comparison.value,))


def _statement(
    connection: Connection,
    wanted: Wanted,
    source: Source,
    joins: Sequence[Clause],
    keys: Sequence[SortKey],
    shown: Sequence[str],
    position: Sequence[Value] | None,
) -> Clause:
    """`shown` are constants that each row has before the values it is sorted by."""
    dialect, kind = connection.dialect, wanted.kind
    sorted_by = [*keys, *kind.ties]
    conditions = [
        source.where,
        _in_experiments(wanted, "" if source.by_experiment else dialect.unindexed),
        wanted.where,
        *(
            condition(dialect, kind, comparison, dialect.unindexed)
            for comparison in wanted.comparisons
            if comparison is not source.decided
        ),
    ]
    if position is not None:
        conditions.append(after(sorted_by, position))
    values = [value for clause in (*joins, *conditions) for value in clause.values]
    return Clause(
        f"SELECT {', '.join([prefixed(kind, wanted.columns), *shown, *(key.text for key in sorted_by)])}"
        f" FROM {source.tables}{''.join(clause.text for clause in joins)}"
        f" WHERE {' AND '.join(clause.text for clause in conditions)}"
        f" ORDER BY {', '.join(key.order for key in sorted_by)} LIMIT {wanted.limit}",
        tuple(values),
    )
