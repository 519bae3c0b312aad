"""Filters and orderings become SQL. User input is a statement's parameter, never its text."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projrun.errors import InvalidValueError
from projrun.tracking.search.grammar import (
    Comparison,
    Ordering,
    Searchable,
    Value,
    parse_ordering,
)
from projrun.tracking.sql.engine import Dialect

MAX_ORDERINGS = 20
"""SQLite joins at most 64 tables."""


class Clause(NamedTuple):
    """A piece of SQL and the values of its placeholders."""

    text: str
    values: tuple[Value, ...] = ()


class Kind(NamedTuple):
    """How one kind of entity is stored: `owner` is the column of the other tables that names its key."""

    searchable: Searchable
    table: str
    key: str
    owner: str
    tables: dict[str, str]
    tie_break: str
    integers: frozenset[str] = frozenset()
    """Attributes that are given as text and kept as integers."""


def select(
    dialect: Dialect,
    kind: Kind,
    columns: str,
    *,
    where: Clause,
    comparisons: Sequence[Comparison],
    order_by: Sequence[str],
    limit: int,
    offset: int,
) -> Clause:
    """The statement that finds a page of things. Raises InvalidValueError."""
    if len(order_by) > MAX_ORDERINGS:
        raise InvalidValueError(f"at most {MAX_ORDERINGS} orderings, not {len(order_by)}")
    conditions = [where, *(condition(dialect, kind, comparison) for comparison in comparisons)]
    orderings = [parse_ordering(text, kind.searchable) for text in order_by]
    joins = [_join(kind, index, ordering) for index, ordering in enumerate(orderings)]
    sorting = [_sorting(kind, index, ordering) for index, ordering in enumerate(orderings)]
    prefixed = ", ".join(f"{kind.table}.{column}" for column in columns.split(", "))
    text = (
        f"SELECT {prefixed} FROM {kind.table}{''.join(join.text for join in joins)}"
        f" WHERE {' AND '.join(condition.text for condition in conditions)}"
        f" ORDER BY {', '.join([*sorting, kind.tie_break])} LIMIT ? OFFSET ?"
    )
    values = [value for clause in (*joins, *conditions) for value in clause.values]
    return Clause(text, (*values, limit, offset))


def joined(separator: str, clauses: Sequence[Clause]) -> Clause:
    """Several clauses as one."""
    values = tuple(value for clause in clauses for value in clause.values)
    return Clause(separator.join(clause.text for clause in clauses), values)


def condition(dialect: Dialect, kind: Kind, comparison: Comparison) -> Clause:
    """What a comparison asks of a row."""
    field = comparison.field
    if field.entity == "attribute":
        return _compare(dialect, f"{kind.table}.{field.key}", _stored(kind, comparison))
    if field.entity == "dataset":
        return _dataset(dialect, comparison)
    table = kind.tables[field.entity]
    inside = f"SELECT 1 FROM {table} WHERE {table}.{kind.owner} = {kind.table}.{kind.key} AND {table}.key = ?"
    if comparison.operator in ("IS NULL", "IS NOT NULL"):
        negation = "NOT " if comparison.operator == "IS NULL" else ""
        return Clause(f"{negation}EXISTS ({inside})", (field.key,))
    test = (
        compare_metric(table, comparison)
        if field.entity == "metric"
        else _compare(dialect, f"{table}.value", comparison)
    )
    return Clause(f"EXISTS ({inside} AND {test.text})", (field.key, *test.values))


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


def _compare(dialect: Dialect, column: str, comparison: Comparison) -> Clause:
    operator, value = comparison.operator, comparison.value
    if isinstance(value, tuple):
        return Clause(f"{column} {operator} ({', '.join('?' * len(value))})", value)
    if operator in ("LIKE", "ILIKE"):
        text, pattern = (dialect.like if operator == "LIKE" else dialect.ilike)(column, str(value))
        return Clause(text, (pattern,))
    return Clause(f"{column} {operator} ?", (value,))


def compare_metric(table: str, comparison: Comparison) -> Clause:
    """A NaN, kept as 0 with a mark, differs from every number and compares with none."""
    if comparison.operator == "!=":
        return Clause(f"({table}.is_nan = 1 OR {table}.value != ?)", (comparison.value,))
    return Clause(f"({table}.is_nan = 0 AND {table}.value {comparison.operator} ?)", (comparison.value,))


def _dataset(dialect: Dialect, comparison: Comparison) -> Clause:
    joined = "SELECT 1 FROM run_datasets JOIN datasets ON datasets.id = run_datasets.dataset"
    own = "WHERE run_datasets.run = runs.id"
    if comparison.field.key != "context":
        test = _compare(dialect, f"datasets.{comparison.field.key}", comparison)
        return Clause(f"EXISTS ({joined} {own} AND {test.text})", test.values)
    test = _compare(dialect, "run_dataset_tags.value", comparison)
    return Clause(
        "EXISTS (SELECT 1 FROM run_dataset_tags WHERE run_dataset_tags.run = runs.id"
        f" AND run_dataset_tags.key = 'mlflow.data.context' AND {test.text})",
        test.values,
    )


def _join(kind: Kind, index: int, ordering: Ordering) -> Clause:
    field = ordering.field
    if field.entity == "attribute":
        return Clause("")
    name = f"sorted_{index}"
    return Clause(
        f" LEFT JOIN {kind.tables[field.entity]} AS {name}"
        f" ON {name}.{kind.owner} = {kind.table}.{kind.key} AND {name}.key = ?",
        (field.key,),
    )


def _sorting(kind: Kind, index: int, ordering: Ordering) -> str:
    """Missing values, and NaN before them, come last in both directions, as in MLflow."""
    direction = "DESC" if ordering.descending else "ASC"
    if ordering.field.entity == "attribute":
        column = f"{kind.table}.{ordering.field.key}"
        return f"{column} IS NULL, {column} {direction}"
    column = f"sorted_{index}.value"
    nan = f"sorted_{index}.is_nan, " if ordering.field.entity == "metric" else ""
    return f"{column} IS NULL, {nan}{column} {direction}"
