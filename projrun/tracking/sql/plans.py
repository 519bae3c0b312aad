"""How a page of runs is read from a store of many: all that an index gives, sorted, or a walk in the wanted order.

A walk goes along the index of the first ordering. Where one value stands for a great many runs, these are a search of
their own, by the other orderings: to sort them all for a page would take longest. A `CROSS JOIN` has SQLite read its
left side first, and what is asked of params, tags and metrics is asked before a run's row is looked up.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from projrun.tracking.search.grammar import Comparison, Field, Value
from projrun.tracking.sql.choices import (
    Source,
    Wanted,
    choose,
    frequent_values,
    in_experiments,
    natural,
    sorts_by,
)
from projrun.tracking.sql.engine import Connection, Row, in_list
from projrun.tracking.sql.paging import NULLABLE, Clause, SortKey, after, beginning, joined
from projrun.tracking.sql.queries import join, keys_of, prefixed, probe

_MISSING = {"metric": "CAST(0 AS DOUBLE PRECISION)", "param": "''", "tag": "''", "attribute": "0"}
"""The value that stands for one that is not there."""
_ALL = Clause("1 = 1")
_EARLY = frozenset({"metric", "param", "tag", "dataset"})
"""What filters ask of other tables than that of runs."""
_ROW = "whole"
"""A run's row, where `runs` is but an entry of an index."""


class _Part(NamedTuple):
    """Some of the rows, in the place that the first ordering gives them."""

    source: Source
    keys: tuple[SortKey, ...]
    """What of the ordering they are sorted by: nothing where they have no value."""
    rank: int | None = None
    """As `paging` counts; None where a value is never missing."""
    value: Value | None = None
    """That all of them have: they are sorted by the other orderings alone."""


def find(connection: Connection, wanted: Wanted) -> list[Row]:
    """The rows of the page, each with the values that it is sorted by at its end."""
    choice = choose(connection, wanted)
    wanted = wanted._replace(comparisons=choice.comparisons, runs=choice.runs or wanted.runs)
    if choice.source is not None:
        return _read(connection, wanted, choice.source)
    if wanted.orderings and _has_parts(wanted.orderings[0].field):
        return _read_parts(connection, wanted)
    by_experiment = natural(wanted.orderings) and len(wanted.experiments) == 1
    return _read(connection, wanted, Source("runs", _ALL, by_experiment=by_experiment))


def _has_parts(field: Field) -> bool:
    return (
        field.entity != "attribute" or f"runs.{field.key}" in NULLABLE or field.key in ("status", "run_name")
    )


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


def _read_parts(connection: Connection, wanted: Wanted) -> list[Row]:
    """Along the index of the first ordering."""
    found: list[Row] = []
    for part in _parts(connection, wanted):
        position = wanted.position
        if part.rank is not None and position is not None:
            reached: int = position[0]  # type: ignore[assignment]  # a rank, as the token was read
            if part.rank < reached:
                continue
            position = position[1:] if part.rank == reached else None
        left = wanted._replace(limit=wanted.limit - len(found), position=position)
        found += (_read_part if part.value is None else _read_value)(connection, left, part)
        if len(found) >= wanted.limit:
            break
    return found


def _read_part(connection: Connection, wanted: Wanted, part: _Part) -> list[Row]:
    first, *others = wanted.orderings
    rest = [key for place, other in enumerate(others, 1) for key in keys_of(wanted.kind, place, other)]
    joins = [join(wanted.kind, place, other) for place, other in enumerate(others, 1)]
    shown = [] if part.rank is None else [str(part.rank)]
    position = wanted.position
    if not part.keys:
        shown.append(_MISSING[first.field.entity])
        position = position and position[1:]
    statement = _statement(connection, wanted, part.source, joins, [*part.keys, *rest], shown, position)
    return connection.execute(statement.text, statement.values).fetchall()


def _read_value(connection: Connection, wanted: Wanted, part: _Part) -> list[Row]:
    """The runs with one value, and that where the first ordering's stands."""
    first, *others = wanted.orderings
    position = wanted.position
    if position is not None:
        position = position[1:] if position[0] == part.value else None
    same = Comparison(first.field, "=", part.value)
    inner = wanted._replace(comparisons=[same, *wanted.comparisons], orderings=others, position=position)
    own = len(wanted.columns.split(", "))
    shown = (part.value,) if part.rank is None else (part.rank, part.value)
    return [(*row[:own], *shown, *row[own:]) for row in find(connection, inner)]


def _parts(connection: Connection, wanted: Wanted) -> Iterator[_Part]:
    """In the order of their ranks, and of the values of the first."""
    field, down = wanted.orderings[0].field, wanted.orderings[0].descending
    if field.entity == "attribute":
        yield from _attribute_parts(connection, wanted, field, down)
        return
    own = Clause("runs.id = sorted_0.run AND sorted_0.key = ?", (field.key,))
    table = "series" if field.entity == "metric" else f"{field.entity}s"
    source = Source(f"{table} AS sorted_0 CROSS JOIN runs", own, "sorted_0.run")
    if field.entity == "metric":
        latest = Clause(f"{own.text} AND sorted_0.latest = 1 AND sorted_0.is_nan = 0", own.values)
        bounds = [_bound(comparison) for comparison in wanted.comparisons if _bounds(wanted, comparison)]
        key = SortKey("sorted_0.value", float, down)
        part = _Part(source._replace(where=joined(" AND ", [latest, *bounds])), (key,), 0)
        yield from _split(connection, wanted, part)
        yield _Part(source._replace(where=latest._replace(text=f"{latest.text[:-1]}1")), (), 1)
    else:
        part = _Part(source, (SortKey(beginning("sorted_0.value"), str, down),), 0)
        yield from _split(connection, wanted, part)
    table = wanted.kind.tables[field.entity]
    absent = f"NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.run = runs.id AND {table}.key = ?)"
    rank = 2 if field.entity == "metric" else 1
    yield _Part(Source("runs", Clause(absent, (field.key,))), (), rank)


def _attribute_parts(connection: Connection, wanted: Wanted, field: Field, down: bool) -> Iterator[_Part]:
    column = f"runs.{field.key}"
    if column in NULLABLE:
        yield _Part(Source("runs", Clause(f"{column} IS NOT NULL")), (SortKey(column, int, down),), 0)
        yield _Part(Source("runs", Clause(f"{column} IS NULL")), (), 1)
    else:
        yield from _split(
            connection, wanted, _Part(Source("runs", _ALL), keys_of(wanted.kind, 0, wanted.orderings[0]))
        )


def _split(connection: Connection, wanted: Wanted, part: _Part) -> Iterator[_Part]:
    """The values that a great many runs have, each a part, and what is between them."""
    (key,), source, position = part.keys, part.source, wanted.position
    if part.rank is not None and position is not None:
        position = position[1:] if position[0] == part.rank else None
    reached = None if position is None else position[0]
    beyond: list[Clause] = []
    for value in frequent_values(connection, wanted, key, reached):
        before = Clause(f"{key.text} {'>' if key.descending else '<'} ?", (value,))
        yield part._replace(source=source._replace(where=joined(" AND ", [source.where, before, *beyond])))
        yield part._replace(value=value)
        beyond = [Clause(f"{key.text} {'<' if key.descending else '>'} ?", (value,))]
    yield part._replace(source=source._replace(where=joined(" AND ", [source.where, *beyond])))


def _bounds(wanted: Wanted, comparison: Comparison) -> bool:
    return comparison.operator != "!=" and sorts_by(wanted, comparison.field)


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
    kind, dialect = wanted.kind, connection.dialect
    early = (
        source.tables == "runs"
        and dialect.rows_last
        and any(comparison.field.entity in _EARLY for comparison in wanted.comparisons)
    )
    row = _ROW if early else kind.table
    tables = f"runs CROSS JOIN runs AS {_ROW}" if early else source.tables
    sorted_by = [*keys, *kind.ties]
    conditions = [source.where, *([Clause(f"{_ROW}.id = runs.id")] if early else [])]
    conditions += _conditions(connection, wanted, source, row)
    if position is not None:
        conditions.append(after(sorted_by, position))
    values = [value for clause in (*joins, *conditions) for value in clause.values]
    columns = prefixed(kind._replace(table=row), wanted.columns)
    return Clause(
        f"SELECT {', '.join([columns, *shown, *(key.text for key in sorted_by)])}"
        f" FROM {tables}{''.join(clause.text for clause in joins)}"
        f" WHERE {' AND '.join(clause.text for clause in conditions)}"
        f" ORDER BY {', '.join(key.order for key in sorted_by)} LIMIT {wanted.limit}",
        tuple(values),
    )


def _conditions(connection: Connection, wanted: Wanted, source: Source, row: str) -> Iterator[Clause]:
    """What is asked of a run; of the columns of runs in its `row`, of all else by the source's key."""
    dialect = connection.dialect
    yield in_experiments(wanted, "runs." if source.by_experiment else f"{dialect.unindexed}{row}.")
    yield Clause(in_list(f"{row}.lifecycle_stage", wanted.stages), tuple(wanted.stages))
    kind = wanted.kind._replace(table=row)
    for comparison in wanted.comparisons:
        if comparison is not source.decided:
            yield probe(dialect, kind, comparison, source.key, whole=source.whole)
