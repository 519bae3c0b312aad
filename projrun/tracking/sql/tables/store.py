"""`SqlTables`: the `Tables` of a database."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from collections.abc import Sequence

from projrun.errors import InvalidValueError
from projrun.tracking.sql.engine import Engine, select_in
from projrun.tracking.sql.experiments import number_of
from projrun.tracking.sql.search import in_experiments
from projrun.tracking.sql.tables import cells, changing, columns, finding
from projrun.tracking.sql.tables.groups import grouped
from projrun.tracking.tables import (
    MOST_CELLS,
    Changes,
    Column,
    FoundRows,
    Group,
    KnownColumns,
    Order,
    Selection,
    Window,
)


class SqlTables:
    """Each method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find_rows(
        self, selection: Selection, orders: Sequence[Order] = (), most: int | None = None
    ) -> FoundRows:
        """The rows of a selection in their order."""
        with self._engine.reading() as connection:
            rows = finding.matching(connection, selection)
            rows = finding.in_order(connection, rows, orders)
        return FoundRows(len(rows), rows if most is None else rows[:most])

    def read_rows(
        self, experiment_ids: Sequence[str], rows: Sequence[int], wanted: Sequence[Column]
    ) -> Window:
        """The cells of rows, in their order."""
        if len(rows) * len(wanted) > MOST_CELLS:
            raise InvalidValueError(
                f"at most {MOST_CELLS} cells in one request, not {len(rows) * len(wanted)}"
            )
        within = {str(number_of(identifier)) for identifier in experiment_ids}
        own = (Column("attribute", "run_id"), Column("attribute", "experiment_id"))
        with self._engine.reading() as connection:
            found = cells.read(connection, own, rows)
            kept = [row for row in rows if found[1].get(row) in within]
            read = cells.read(connection, wanted, kept)
        run_ids = [str(found[0][row]) for row in kept]
        return Window(kept, run_ids, [[*map(column.get, kept)] for column in read])

    def rows_of(self, run_ids: Sequence[str]) -> list[int]:
        """The rows of runs, in their order."""
        with self._engine.reading() as connection:
            rows = select_in(connection, "SELECT run_id, id FROM runs WHERE run_id IN ({keys})", run_ids)
            found: dict[str, int] = dict(rows)
        return [found[run_id] for run_id in run_ids if run_id in found]

    def parents(self, experiment_ids: Sequence[str]) -> list[tuple[int, int]]:
        """Each row whose run names a parent, and the row of that."""
        within = in_experiments("runs", experiment_ids)
        with self._engine.reading() as connection:
            rows = connection.execute(
                "SELECT runs.id, parents.id FROM tags JOIN runs ON runs.id = tags.run"
                " JOIN runs AS parents ON parents.run_id = tags.value"
                " WHERE tags.key = 'mlflow.parentRunId'"
                f" AND {connection.dialect.unindexed}{within.text} ORDER BY runs.id",
                within.values,
            )
            return [(row, parent) for row, parent in rows]

    def known_columns(self, selection: Selection) -> KnownColumns:
        """The metrics, params and tags of a selection."""
        with self._engine.reading() as connection:
            return columns.known(connection, finding.matching(connection, selection))

    def groups(self, selection: Selection, by: Column, metrics: Sequence[Column] = ()) -> list[Group]:
        """The groups by one column."""
        with self._engine.reading() as connection:
            return grouped(connection, finding.matching(connection, selection), by, metrics)

    def changes(self, experiment_ids: Sequence[str], since: str = "") -> Changes:
        """What is new or changed since a token."""
        with self._engine.reading() as connection:
            return changing.changes(connection, in_experiments("runs", experiment_ids), since)
