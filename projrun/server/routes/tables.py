"""Runs as a table, for pages: which rows, their cells by column, groups, and what changed. Not MLflow's routes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Literal

import msgspec

from projrun.errors import InvalidValueError
from projrun.server import permissions, wire
from projrun.server.api import AnyMessage, Handler, Route, own_paths
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.statuses import ViewType
from projrun.tracking.tables import Aggregate, Cell, Column, ColumnKind, Order, Selection, Statistics, Tables

View = Literal["active", "deleted", "all"]
_VIEWS: dict[View, ViewType] = {"active": "ACTIVE_ONLY", "deleted": "DELETED_ONLY", "all": "ALL"}
_MOST_ROWS = 100_000
"""In one answer with cells."""


class _Column(wire.Message):
    kind: ColumnKind
    key: str
    aggregate: Aggregate = "last"

    def column(self) -> Column:
        """As the contract has it."""
        return Column(self.kind, self.key, self.aggregate)


class _Order(_Column):
    descending: bool = False


class _Selection(wire.Message):
    experiment_ids: tuple[str, ...] = ()
    filter: str = ""
    view: View = "active"

    def selection(self) -> Selection:
        """As the contract has it."""
        return Selection(self.experiment_ids, self.filter, _VIEWS[self.view])


class _First(wire.Message):
    rows: wire.Int64 = 50
    columns: tuple[_Column, ...] = ()


class _Search(_Selection):
    order_by: tuple[_Order, ...] = ()
    max: wire.Int64 | None = None
    parents: bool = False
    window: _First | None = None


class _Rows(wire.Message):
    experiment_ids: tuple[str, ...] = ()
    rows: tuple[wire.Int64, ...] = ()
    run_ids: tuple[str, ...] = ()
    columns: tuple[_Column, ...] = ()


class _Cells(msgspec.Struct):
    kind: ColumnKind
    key: str
    aggregate: Aggregate
    values: Sequence[Cell]


class _Window(msgspec.Struct):
    rows: list[int]
    run_ids: list[str]
    columns: list[_Cells]


class _Found(msgspec.Struct, omit_defaults=True):
    total: int
    rows: list[int]
    parents: list[tuple[int, int]] = []
    window: _Window | None = None
    token: str = ""


class _KnownColumn(msgspec.Struct):
    kind: ColumnKind
    key: str
    runs: int
    differs: bool


class _KnownColumns(msgspec.Struct):
    total: int
    looked_at: int
    columns: list[_KnownColumn]


class _Groups(_Selection, kw_only=True):
    by: _Column
    metrics: tuple[_Column, ...] = ()


class _Statistics(msgspec.Struct):
    count: int
    mean: float | str
    std: float | str
    min: float | str
    max: float | str


class _Group(msgspec.Struct):
    value: Cell
    rows: list[int]
    metrics: list[_Statistics | None]


class _Grouped(msgspec.Struct):
    groups: list[_Group]


class _Since(wire.Message):
    experiment_ids: tuple[str, ...] = ()
    since: str = ""


class _Changes(msgspec.Struct):
    token: str
    new: list[int]
    changed: list[int]


def _search(store: RunStore, message: _Search) -> _Found:
    first = message.window
    for name, number in (("max", message.max), ("window.rows", first.rows if first else None)):
        if number is not None and number < 0:
            raise InvalidValueError(f"{name} must be at least 0, not {number}")
    tables = part_of(store, Tables)
    orders = [Order(each.column(), each.descending) for each in message.order_by]
    # Before the rows are found: they may have what changes meanwhile, and `changes` then has it again.
    token = tables.changes(message.experiment_ids).token if first else ""
    found = tables.find_rows(message.selection(), orders, message.max)
    return _Found(
        *found,
        tables.parents(message.experiment_ids) if message.parents else [],
        _window(tables, message.experiment_ids, found.rows[: first.rows], first.columns) if first else None,
        token,
    )


def _read(store: RunStore, message: _Rows) -> _Window:
    tables = part_of(store, Tables)
    rows = message.rows or tuple(tables.rows_of(message.run_ids))
    return _window(tables, message.experiment_ids, rows, message.columns)


def _window(
    tables: Tables, experiment_ids: Sequence[str], rows: Sequence[int], asked: Sequence[_Column]
) -> _Window:
    columns = [each.column() for each in asked]
    window = tables.read_rows(experiment_ids, rows[:_MOST_ROWS], columns)
    cells = [_Cells(*column, _shown(values)) for column, values in zip(columns, window.columns, strict=True)]
    return _Window(window.rows, window.run_ids, cells)


def _shown(values: Sequence[Cell]) -> Sequence[Cell]:
    """Numbers as JSON can hold them."""
    return [wire.number(value) if type(value) is float and not isfinite(value) else value for value in values]


def _columns(store: RunStore, message: _Selection) -> _KnownColumns:
    total, looked_at, columns = part_of(store, Tables).known_columns(message.selection())
    return _KnownColumns(total, looked_at, [_KnownColumn(*column) for column in columns])


def _groups(store: RunStore, message: _Groups) -> _Grouped:
    metrics = [each.column() for each in message.metrics]
    found = part_of(store, Tables).groups(message.selection(), message.by.column(), metrics)
    return _Grouped(
        [
            _Group(_shown([value])[0], rows, [each and _statistics(each) for each in statistics])
            for value, rows, statistics in found
        ]
    )


def _statistics(statistics: Statistics) -> _Statistics:
    count, *numbers = statistics
    return _Statistics(count, *map(wire.number, numbers))


def _changes(store: RunStore, message: _Since) -> _Changes:
    return _Changes(*part_of(store, Tables).changes(message.experiment_ids, message.since))


def _asking(method: str, path: str, message: type[AnyMessage], handler: Handler[AnyMessage]) -> Route:
    """In those of the experiments that the caller may read."""
    needs = permissions.SEARCH_EXPERIMENTS
    answer = lambda store, message, caller: handler(store, message)  # noqa: E731 -- as in `api`
    return Route((method,), own_paths(path), message, needs, False, answer)


ROUTES = (
    _asking("POST", "runs/search", _Search, _search),
    _asking("POST", "runs/rows", _Rows, _read),
    _asking("POST", "groups", _Groups, _groups),
    _asking("GET", "columns", _Selection, _columns),
    _asking("POST", "columns", _Selection, _columns),
    _asking("GET", "changes", _Since, _changes),
    _asking("POST", "changes", _Since, _changes),
)
