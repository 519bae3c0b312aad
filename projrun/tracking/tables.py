"""`Tables`: runs as rows of a table, for pages that show many of them.

A row is a number of the store's own, which stands for a run as long as the store has it. Cells are cut at `LONGEST`
characters: the run itself has all of a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from projrun.tracking.statuses import ViewType
from projrun.tuples import NamedTuple

ColumnKind = Literal["attribute", "metric", "param", "tag"]
Aggregate = Literal["last", "min", "max"]
Cell = str | int | float | None
"""A value, with NaN as a float; None where the run has none."""

LONGEST = 250
"""Characters of a text in a cell."""
MOST_CELLS = 1_000_000
"""In one answer."""
ATTRIBUTES = (
    "run_id",
    "experiment_id",
    "run_name",
    "user_id",
    "status",
    "start_time",
    "end_time",
    "duration",
    "artifact_uri",
    "lifecycle_stage",
)
"""The keys of columns of the kind `attribute`. A duration is in milliseconds, of runs that have ended."""


class Column(NamedTuple):
    """What is in one column; `aggregate` is that of a metric's history."""

    kind: ColumnKind
    key: str
    aggregate: Aggregate = "last"


class Order(NamedTuple):
    """One column that rows are sorted by."""

    column: Column
    descending: bool = False


class Selection(NamedTuple):
    """Which runs: of some experiments, by a filter in the search language."""

    experiment_ids: Sequence[str]
    filter_string: str = ""
    view_type: ViewType = "ACTIVE_ONLY"


class FoundRows(NamedTuple):
    """How many rows there are, and the first of them in their order."""

    total: int
    rows: list[int]


class Window(NamedTuple):
    """Some rows, each with its run, and their cells, one list for each column that was asked for."""

    rows: list[int]
    run_ids: list[str]
    columns: list[list[Cell]]


class KnownColumn(NamedTuple):
    """A key that runs have: in how many of those that were looked at, and whether they differ in it."""

    kind: ColumnKind
    key: str
    runs: int
    differs: bool


class KnownColumns(NamedTuple):
    """The keys of a selection; of many runs, some are looked at, and rare keys are found by their index."""

    total: int
    looked_at: int
    columns: list[KnownColumn]


class Statistics(NamedTuple):
    """How many numbers a group has, without NaN, and of what kind. `std` is that of a sample, 0 for one number."""

    numbers: int
    mean: float
    std: float
    min: float
    max: float


class Group(NamedTuple):
    """The rows with one value, in the selection's order; None for those without."""

    value: Cell
    rows: list[int]
    statistics: list[Statistics | None]
    """For each metric that was asked for; None where no row has it."""


class Changes(NamedTuple):
    """What came since a token: rows that are new, and rows whose run went on or ended."""

    token: str
    new: list[int]
    changed: list[int]


@runtime_checkable
class Tables(Protocol):
    """Raises InvalidValueError for what cannot be asked, with the position in a filter."""

    def find_rows(
        self, selection: Selection, orders: Sequence[Order] = (), most: int | None = None
    ) -> FoundRows:
        """The newest first where no order tells rows apart. NaN and missing values come last in both directions.

        Params and tags are sorted as numbers where all of them are.
        """
        ...

    def read_rows(
        self, experiment_ids: Sequence[str], rows: Sequence[int], columns: Sequence[Column]
    ) -> Window:
        """The cells of rows, in their order; rows that are not in these experiments are left out."""
        ...

    def rows_of(self, run_ids: Sequence[str]) -> list[int]:
        """The rows of runs, in their order; runs that do not exist have none."""
        ...

    def parents(self, experiment_ids: Sequence[str]) -> list[tuple[int, int]]:
        """Each row whose run names a parent, and the row of that, wherever it is."""
        ...

    def known_columns(self, selection: Selection) -> KnownColumns:
        """The metrics, params and tags that there are, sorted by kind and key."""
        ...

    def groups(self, selection: Selection, by: Column, metrics: Sequence[Column] = ()) -> list[Group]:
        """The groups by one column, sorted by its value, those without a value last."""
        ...

    def changes(self, experiment_ids: Sequence[str], since: str = "") -> Changes:
        """What is new or changed since a token of this method; an empty one only begins.

        Runs that were RUNNING count, and new ones; not what is changed on runs that had ended.
        """
        ...
