"""Filters and orderings become SQL. User input is a statement's parameter, never its text."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projrun.errors import InvalidValueError
from projrun.tracking.search.grammar import Comparison, Ordering, Searchable, parse_ordering
from projrun.tracking.search.pages import make_token, read_token
from projrun.tracking.sql.engine import CHUNK, Connection, Dialect, Row
from projrun.tracking.sql.paging import Clause, SortKey, after, beginning, joined, sort_keys

MAX_ORDERINGS = 20
"""SQLite joins at most 64 tables."""


class Kind(NamedTuple):
    """How one kind of entity is stored: `owner` is the column of the other tables that names its key."""

    searchable: Searchable
    table: str
    key: str
    owner: str
    tables: dict[str, str]
    ties: tuple[SortKey, ...]
    """What rows are sorted by where no ordering tells them apart; together they tell any row from the others."""
    integers: frozenset[str] = frozenset()
    """Attributes that are given as text and kept as integers."""


class Page(NamedTuple):
    """Which rows of all that are found: so many after a position, in an order."""

    keys: Sequence[SortKey]
    size: int
    token: str = ""

    def read(self, connection: Connection, statement: Clause) -> tuple[list[Row], str]:
        """The rows and the token of the next page: one row more is read, to know whether there is one."""
        rows = connection.execute(statement.text, statement.values).fetchall()
        found = [row[: -len(self.keys)] for row in rows[: self.size]]
        more = len(rows) > self.size
        return found, make_token(rows[self.size - 1][-len(self.keys) :]) if more else ""


def select(
    dialect: Dialect,
    kind: Kind,
    columns: str,
    *,
    where: Clause,
    comparisons: Sequence[Comparison],
    orderings: Sequence[Ordering],
    page: Page,
) -> Clause:
    """The statement that finds a page of things."""
    conditions = [where, *(condition(dialect, kind, comparison) for comparison in comparisons)]
    joins = [join(kind, index, ordering) for index, ordering in enumerate(orderings)]
    return select_page(kind, columns, joins, conditions, page)


def select_page(
    kind: Kind, columns: str, joins: Sequence[Clause], conditions: Sequence[Clause], page: Page
) -> Clause:
    """The statement of a page, whose rows end with the values that they are sorted by.

    Raises InvalidValueError for a token that is none of this search's.
    """
    if page.token:
        position = read_token(page.token, [key.kind for key in page.keys])
        conditions = [*conditions, after(page.keys, position)]
    text = (
        f"SELECT {', '.join([prefixed(kind, columns), *(key.text for key in page.keys)])}"
        f" FROM {kind.table}{''.join(join.text for join in joins)}"
        f" WHERE {' AND '.join(condition.text for condition in conditions)}"
        f" ORDER BY {', '.join(key.order for key in page.keys)} LIMIT ?"
    )
    values = [value for clause in (*joins, *conditions) for value in clause.values]
    return Clause(text, (*values, page.size + 1))


def parse_orderings(kind: Kind, order_by: Sequence[str]) -> list[Ordering]:
    """Raises InvalidValueError."""
    if len(order_by) > MAX_ORDERINGS:
        raise InvalidValueError(f"at most {MAX_ORDERINGS} orderings, not {len(order_by)}")
    return [parse_ordering(text, kind.searchable) for text in order_by]


def prefixed(kind: Kind, columns: str) -> str:
    """The columns with their table."""
    return ", ".join(f"{kind.table}.{column}" for column in columns.split(", "))


def keys_of(kind: Kind, index: int, ordering: Ordering) -> tuple[SortKey, ...]:
    """What the ordering at `index` sorts by, after `join`."""
    field = ordering.field
    number = field.numeric or field.key in kind.integers
    return sort_keys(kind.table, index, ordering, number=number)


def probe(
    dialect: Dialect, kind: Kind, comparison: Comparison, key: str = "", *, whole: bool = False
) -> Clause:
    """What a comparison asks of one row after the other, of which few are looked at; by no index of its own.

    `key` is a column with the row's key, where it is known before the row is read. Where tables may be read `whole`,
    the database decides.
    """
    return condition(dialect, kind, comparison, dialect.unindexed, key, "" if whole else dialect.probe)


def condition(
    dialect: Dialect, kind: Kind, comparison: Comparison, prefix: str = "", key: str = "", end: str = ""
) -> Clause:
    """What a comparison asks of a row; `prefix` stands before its columns, `end` after what is asked of others."""
    key = key or f"{kind.table}.{kind.key}"
    field = comparison.field
    if field.entity == "attribute":
        return compare(dialect, f"{prefix}{kind.table}.{field.key}", _stored(kind, comparison))
    if field.entity == "dataset":
        return _dataset(dialect, comparison, key, end)
    table = kind.tables[field.entity]
    inside = f"SELECT 1 FROM {table} WHERE {table}.{kind.owner} = {key} AND {table}.key = ?"
    if comparison.operator in ("IS NULL", "IS NOT NULL"):
        negation = "NOT " if comparison.operator == "IS NULL" else ""
        return Clause(f"{negation}EXISTS ({inside}{end})", (field.key,))
    test = (
        compare_metric(f"{prefix}{table}", comparison)
        if field.entity == "metric"
        else compare(dialect, f"{table}.value", comparison)
    )
    return Clause(f"EXISTS ({inside} AND {test.text}{end})", (field.key, *test.values))


def _stored(kind: Kind, comparison: Comparison) -> Comparison:
    """The comparison with its texts as the column keeps them: experiment ids are integers."""
    if comparison.field.key not in kind.integers or comparison.operator in ("LIKE", "ILIKE"):
        return comparison
    texts = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    # No id is negative: what is not a number matches nothing.
    numbers = tuple(
        int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19 else -1
        for text in texts
    )
    value = numbers if isinstance(comparison.value, tuple) else numbers[0]
    return comparison._replace(value=value)  # type: ignore[arg-type]  # a tuple of numbers, for IN only


def compare(dialect: Dialect, column: str, comparison: Comparison) -> Clause:
    """The comparison of a column that is not a metric's."""
    operator, value = comparison.operator, comparison.value
    if isinstance(value, tuple):
        if len(value) > CHUNK:
            text, given = dialect.any_of(column, value)
            return Clause(text if operator == "IN" else f"NOT {text}", (given,))
        return Clause(f"{column} {operator} ({', '.join('?' * len(value))})", value)
    if operator in ("LIKE", "ILIKE"):
        text, pattern = (dialect.like if operator == "LIKE" else dialect.ilike)(column, str(value))
        return Clause(text, (pattern,))
    return Clause(f"{column} {operator} ?", (value,))


def compare_beginning(column: str, value: str) -> Clause:
    """That a text is this one, by its index."""
    test = Clause(f"{beginning(column)} = {beginning('?')}", (value,))
    return test if len(value) < 250 else joined(" AND ", [test, Clause(f"{column} = ?", (value,))])


def compare_metric(table: str, comparison: Comparison) -> Clause:
    """A NaN, kept as 0 with a mark, differs from every number and compares with none."""
    if comparison.operator == "!=":
        return Clause(f"({table}.is_nan = 1 OR {table}.value != ?)", (comparison.value,))
    return Clause(f"({table}.is_nan = 0 AND {table}.value {comparison.operator} ?)", (comparison.value,))


def _dataset(dialect: Dialect, comparison: Comparison, key: str, end: str) -> Clause:
    joins = "SELECT 1 FROM run_datasets JOIN datasets ON datasets.id = run_datasets.dataset"
    own = f"WHERE run_datasets.run = {key}"
    if comparison.field.key != "context":
        test = compare(dialect, f"datasets.{comparison.field.key}", comparison)
        return Clause(f"EXISTS ({joins} {own} AND {test.text}{end})", test.values)
    test = compare(dialect, "run_dataset_tags.value", comparison)
    return Clause(
        f"EXISTS (SELECT 1 FROM run_dataset_tags WHERE run_dataset_tags.run = {key}"
        f" AND run_dataset_tags.key = 'mlflow.data.context' AND {test.text}{end})",
        test.values,
    )


def join(kind: Kind, index: int, ordering: Ordering) -> Clause:
    """What is joined for an ordering by something else than an attribute."""
    field = ordering.field
    if field.entity == "attribute":
        return Clause("")
    name = f"sorted_{index}"
    return Clause(
        f" LEFT JOIN {kind.tables[field.entity]} AS {name}"
        f" ON {name}.{kind.owner} = {kind.table}.{kind.key} AND {name}.key = ?",
        (field.key,),
    )
