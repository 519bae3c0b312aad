"""Which index a search of runs is read by: that of a filter, that of experiments, or the one in the wanted order.

SQLite keeps no statistics that could tell. What the search asks for is asked of a sample of runs; of what is rare
there, it is counted up to a bound how many rows its index gives. Whatever is chosen, the rows found are the same.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from projrun.tracking.search.grammar import Comparison, Field, Ordering, Value
from projrun.tracking.sql.engine import Connection, Row
from projrun.tracking.sql.paging import INDEXED, Clause, SortKey, beginning
from projrun.tracking.sql.queries import Kind, compare, compare_beginning, probe

COUNTED = 2_000
"""Rows up to which it is counted how many an index gives; in a smaller store, all runs are looked at."""
SAMPLED = 200
"""Runs of which everything is asked."""
_TRIED = 10
"""Times as many keys that are looked for where most runs of a store were removed."""
FREQUENT = 4
"""Of them have what is found often: the sample tells how often. What is rarer is counted."""
_ASKED = 20
"""Filters that the sample is asked for."""
_GOLDEN = 0.6180339887498949
"""Its multiples, without the whole numbers, are spread evenly, and in step with no pattern of the runs."""
_EDGES = "SELECT (SELECT min(id) FROM runs), (SELECT max(id) FROM runs)"
"""The first key and the last: of both in one SELECT, SQLite would read all runs."""
_ALL = Clause("1 = 1")
_INDEXED = frozenset({"run_id", "status", "start_time", "end_time"})


class Runs(NamedTuple):
    """About how many runs there are, and keys of some that are spread over them."""

    total: int
    keys: Sequence[int]


class Wanted(NamedTuple):
    """A page of runs: which, in which order, how many, after which position."""

    kind: Kind
    columns: str
    experiments: Sequence[int]
    stages: Sequence[str]
    comparisons: Sequence[Comparison]
    orderings: Sequence[Ordering]
    limit: int
    position: Sequence[Value] | None
    runs: Runs | None = None
    """Some of all there are, once they were looked up."""


class Source(NamedTuple):
    """Where rows come from: tables with `runs` last among them, and what holds for them."""

    tables: str
    where: Clause
    key: str = "runs.id"
    """The column that says of which run a row is."""
    decided: Comparison | None = None
    """The filter that they fulfil."""
    by_experiment: bool = False
    """Whether they are read by the index on experiments."""
    whole: bool = False
    """Whether the database may read whole tables for the filters."""


class Choice(NamedTuple):
    """The index by which all rows are looked at, None for walking in the wanted order; the filters, strictest first."""

    source: Source | None
    comparisons: Sequence[Comparison]
    runs: Runs | None = None


class _Sample(NamedTuple):
    """Of some runs: whether each is in the experiments, and fulfils each of the filters."""

    total: int
    """Runs that there are."""
    rows: Sequence[Row]

    def hits(self, place: int) -> int:
        """How many fulfil the filter at a place."""
        return sum(row[place + 1] for row in self.rows)

    def number(self, hits: float) -> float:
        """Of all runs, as many as the sample says."""
        return self.total * hits / max(len(self.rows), 1)


def choose(connection: Connection, wanted: Wanted) -> Choice:
    """The way that looks at the fewest rows, as far as one can know."""
    whole = Source("runs", _ALL, by_experiment=True)
    first, last = _edges(connection)
    if wanted.comparisons and last - first < connection.dialect.small:
        return Choice(whole._replace(whole=True), wanted.comparisons)
    if last - first < COUNTED:
        return Choice(whole, wanted.comparisons)
    runs, sample = _take_sample(connection, wanted, first, last)
    inside = sum(row[0] for row in sample.rows)
    own = _count(connection, sample, whole._replace(where=in_experiments(wanted)), inside)
    best, fewest, walked = whole, own, own if _by_experiment(wanted) else float(sample.total)
    for place, comparison in enumerate(wanted.comparisons[:_ASKED]):
        source = _source(connection, comparison)
        if source is None:
            continue
        number = _count(connection, sample, source, sample.hits(place))
        if number < fewest:
            best, fewest = _with_runs(source), number
        if sorts_by(wanted, comparison.field):
            walked = min(walked, number)
    found = max(min(_found(sample, inside, own), fewest), 1)
    strictest = sorted(range(len(wanted.comparisons)), key=lambda place: _rarity(sample, place))
    in_order = min(wanted.limit * walked / found, walked) <= fewest
    comparisons = [wanted.comparisons[place] for place in strictest]
    return Choice(None if in_order else best, comparisons, runs)


def frequent_values(
    connection: Connection, wanted: Wanted, key: SortKey, reached: Value | None
) -> list[Value]:
    """What a great many runs have of what is sorted by first, from a value on, in the wanted order."""
    (total, numbers), field = (
        wanted.runs or _some_runs(connection, *_edges(connection)),
        wanted.orderings[0].field,
    )
    least = max(FREQUENT, COUNTED * len(numbers) // max(total, 1))
    if field.entity == "attribute":
        tables, where = "runs", Clause(in_numbers("runs.id", numbers))
    else:
        tables = f"{wanted.kind.tables[field.entity]} AS sorted_0"
        where = Clause(f"{in_numbers('sorted_0.run', numbers)} AND sorted_0.key = ?", (field.key,))
        if field.entity == "metric":
            where = where._replace(text=f"{where.text} AND {connection.dialect.unindexed}sorted_0.is_nan = 0")
    left = _ALL if reached is None else Clause(f"value {'<' if key.descending else '>'}= ?", (reached,))
    # The LIMIT keeps SQLite from reading a whole index, which has these values in their order.
    inner = f"SELECT {key.text} AS value FROM {tables} WHERE {where.text} LIMIT {SAMPLED}"
    statement = (
        f"SELECT value FROM ({inner}) AS found WHERE {left.text} GROUP BY value"
        f" HAVING count(*) >= {least} ORDER BY {key._replace(text='value').order}"
    )
    found = connection.execute(statement, (*where.values, *left.values)).fetchall()
    # A longer text is not all of its value.
    return [value for (value,) in found if not isinstance(value, str) or len(value) < INDEXED]


def _edges(connection: Connection) -> tuple[int, int]:
    """The first key of a run and the last: there are not more runs than numbers between them."""
    first, last = connection.execute(_EDGES).fetchone()
    return first or 0, last or 0


def _spread(first: int, last: int, count: int) -> list[int]:
    """About so many keys from the first to the last, among them those of runs that were removed."""
    keys = (first + int(number * _GOLDEN % 1 * (last - first + 1)) for number in range(count))
    return list(dict.fromkeys(keys))


def _some_runs(connection: Connection, first: int, last: int) -> Runs:
    """Of a store from which most runs may have been removed: there are gaps in its keys."""
    spread = _spread(first, last, SAMPLED * _TRIED)
    present = {key for (key,) in connection.execute(f"SELECT id FROM runs WHERE {in_numbers('id', spread)}")}
    total = (last - first + 1) * len(present) // len(spread)
    return Runs(total, [key for key in spread if key in present][:SAMPLED])


def in_experiments(wanted: Wanted, prefix: str = "runs.") -> Clause:
    """That a run is in one of the experiments."""
    return Clause(in_numbers(f"{prefix}experiment_id", wanted.experiments))


def in_numbers(column: str, numbers: Collection[int]) -> str:
    """They stand in the statement itself: SQLite before 3.32 takes 999 values."""
    return f"{column} IN ({', '.join(map(str, numbers))})" if numbers else "1 = 0"


def sorts_by(wanted: Wanted, field: Field) -> bool:
    """Whether the first ordering is by this field."""
    return any(
        (first.field.entity, first.field.key) == (field.entity, field.key) for first in wanted.orderings[:1]
    )


def _by_experiment(wanted: Wanted) -> bool:
    return len(wanted.experiments) == 1 and natural(wanted.orderings)


def natural(orderings: Sequence[Ordering]) -> bool:
    """Whether runs are wanted as the indexes on experiments and on times have them."""
    return not orderings or orderings[0].field.key == "start_time"


def _take_sample(connection: Connection, wanted: Wanted, first: int, last: int) -> tuple[Runs, _Sample]:
    spread = _spread(first, last, SAMPLED)
    rows = _tested(connection, wanted, spread)
    total = (last - first + 1) * len(rows) // len(spread)
    if 2 * len(rows) < SAMPLED:
        total, keys = _some_runs(connection, first, last)
        rows = _tested(connection, wanted, keys)
    return Runs(total, [row[0] for row in rows]), _Sample(total, [row[1:] for row in rows])


def _tested(connection: Connection, wanted: Wanted, keys: Sequence[int]) -> list[Row]:
    """Of the runs that there are of these keys: the key, and what a sample says."""
    tests = [probe(connection.dialect, wanted.kind, comparison) for comparison in wanted.comparisons[:_ASKED]]
    shown = [in_experiments(wanted), *tests]
    return connection.execute(
        f"SELECT runs.id, {', '.join(f'CASE WHEN {test.text} THEN 1 ELSE 0 END' for test in shown)}"
        f" FROM runs WHERE {in_numbers('runs.id', keys)}",
        [value for test in tests for value in test.values],
    ).fetchall()


def _count(connection: Connection, sample: _Sample, source: Source, hits: int) -> float:
    """How many rows an index gives."""
    if hits >= FREQUENT:
        return sample.number(hits)
    inner = f"SELECT 1 AS one FROM {source.tables} WHERE {source.where.text} LIMIT {COUNTED}"
    (number,) = connection.execute(
        f"SELECT count(*) FROM ({inner}) AS counted", source.where.values
    ).fetchone()
    return float(number) if number < COUNTED else max(COUNTED, sample.number(hits + 1))


def _found(sample: _Sample, inside: int, own: float) -> float:
    """How many runs the whole search finds."""
    if inside >= FREQUENT:
        joint = sum(all(row) for row in sample.rows)
        return own * (joint or 0.5) / inside
    share = 1.0
    for place in range(len(sample.rows[0]) - 1 if sample.rows else 0):
        share *= max(sample.hits(place), 0.5) / max(len(sample.rows), 1)
    return own * share


def _rarity(sample: _Sample, place: int) -> int:
    return sample.hits(place) if place < _ASKED else SAMPLED


def _source(connection: Connection, comparison: Comparison) -> Source | None:
    """The rows that an index gives for a filter, if there is one for it."""
    field, operator, dialect = comparison.field, comparison.operator, connection.dialect
    if field.entity == "attribute":
        if field.key == "run_name":
            test = _text_test(connection, "runs.run_name", comparison)
            return test and Source("runs", test, decided=comparison if operator == "=" else None)
        if field.key in _INDEXED and operator in ("=", "<", "<=", ">", ">=", "IN"):
            return Source("runs", compare(dialect, f"runs.{field.key}", comparison), decided=comparison)
    elif field.entity == "metric" and operator != "!=":
        text = f"driver.key = ? AND driver.latest = 1 AND driver.is_nan = 0 AND driver.value {operator} ?"
        where = Clause(text, (field.key, comparison.value))
        return Source("series AS driver", where, "driver.run", comparison)
    elif field.entity in ("param", "tag"):
        test = _text_test(connection, "driver.value", comparison)
        if test is not None:
            where = Clause(f"driver.key = ? AND {test.text}", (field.key, *test.values))
            decided = comparison if operator == "=" else None
            return Source(f"{field.entity}s AS driver", where, "driver.run", decided)
    return None


def _text_test(connection: Connection, column: str, comparison: Comparison) -> Clause | None:
    """What the index on the beginning of a text finds: one text, or those that begin like a pattern."""
    value = str(comparison.value)
    if comparison.operator == "=":
        return compare_beginning(column, value)
    if comparison.operator != "LIKE":
        return None
    fixed = value.split("%")[0].split("_")[0][:INDEXED]
    bounds = connection.dialect.bounds(fixed) if fixed else None
    return bounds and Clause(f"{beginning(column)} >= ? AND {beginning(column)} < ?", bounds)


def _with_runs(source: Source) -> Source:
    if source.tables == "runs":
        return source
    where = Clause(f"{source.where.text} AND runs.id = driver.run", source.where.values)
    return source._replace(tables=f"{source.tables} CROSS JOIN runs", where=where)
