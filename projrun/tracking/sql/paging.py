"""Pages of a search: what rows are sorted by, as columns of SQL, and the condition that a row comes after another.

A page goes on after the last row of the one before, so rows that come or go meanwhile move none. Values that are
missing come last in both directions, as in MLflow, and a NaN before them: each ordering has a rank (0: a value, then
NaN or missing) beside its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projrun.tracking.search.grammar import Ordering, Value

INDEXED = 250
"""Characters of a text that are indexed, and sorted by."""
NULLABLE = frozenset({"runs.end_time", "traces.execution_duration", "traces.end_time"})
SHORT = frozenset({"runs.status"})
"""Texts that are indexed whole."""


class Clause(NamedTuple):
    """A piece of SQL and the values of its placeholders."""

    text: str
    values: tuple[Value, ...] = ()


class SortKey(NamedTuple):
    """One column that rows are sorted by; it is never NULL."""

    text: str
    kind: type
    descending: bool = False

    @property
    def order(self) -> str:
        """As in ORDER BY."""
        return f"{self.text} DESC" if self.descending else self.text


def joined(separator: str, clauses: Sequence[Clause]) -> Clause:
    """Several clauses as one."""
    values = tuple(value for clause in clauses for value in clause.values)
    return Clause(separator.join(clause.text for clause in clauses), values)


def beginning(column: str) -> str:
    """The part of a text that is indexed."""
    return f"substr({column}, 1, {INDEXED})"


def sort_keys(table: str, index: int, ordering: Ordering, *, number: bool) -> tuple[SortKey, ...]:
    """What an ordering sorts by: its rank, where values may be missing, and its value."""
    field, down = ordering.field, ordering.descending
    name = f"sorted_{index}"
    if field.entity == "metric":
        return metric_keys(name, descending=down)
    if field.entity != "attribute":
        value = beginning(f"{name}.value")
        return SortKey(_rank(f"{name}.value"), int), SortKey(f"coalesce({value}, '')", str, down)
    column = f"{table}.{field.key}"
    if column in NULLABLE:
        return SortKey(_rank(column), int), SortKey(f"coalesce({column}, 0)", int, down)
    whole = number or column in SHORT
    return (SortKey(column if whole else beginning(column), int if number else str, down),)


def metric_keys(name: str, *, descending: bool) -> tuple[SortKey, ...]:
    """What an ordering by a metric sorts by: the values of the table that was joined as `name`."""
    rank = f"CASE WHEN {name}.is_nan IS NULL THEN 2 ELSE {name}.is_nan END"
    return SortKey(rank, int), SortKey(f"coalesce({name}.value, 0.0)", float, descending)


def after(keys: Sequence[SortKey], position: Sequence[Value]) -> Clause:
    """The condition that a row comes after the one at `position`: first that of one column, for its index."""
    first = keys[0]
    sign = "<" if first.descending else ">"
    lead = Clause(f"{first.text} {sign}= ? AND ", (position[0],)) if len(keys) > 1 else Clause("")
    return joined("", [lead, _after(keys, position)])


def _after(keys: Sequence[SortKey], position: Sequence[Value]) -> Clause:
    first, value = keys[0], position[0]
    sign = "<" if first.descending else ">"
    if len(keys) == 1:
        return Clause(f"{first.text} {sign} ?", (value,))
    rest = _after(keys[1:], position[1:])
    text = f"({first.text} {sign} ? OR ({first.text} = ? AND {rest.text}))"
    return Clause(text, (value, value, *rest.values))


def _rank(column: str) -> str:
    return f"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END"
