"""The conformance kit of `Tables`: runs as rows, their cells, groups, and what changes.

class TestMyStore(TablesConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RunStore]: ...
"""

from __future__ import annotations

from math import inf, isnan, nan, sqrt

import pytest

from projrun.errors import InvalidValueError
from projrun.testing.run_store_base import NO_RUN, ConformanceBase
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.tables import LONGEST, Column, Order, Selection, Statistics, Tables

LOSS = Column("metric", "loss")
DEPTH = Column("param", "depth")


class TablesConformance(ConformanceBase):
    """Runs as rows of a table."""

    @pytest.fixture
    def tables(self, store: RunStore) -> Tables:
        """The part of the store that is tested."""
        return part_of(store, Tables)

    @pytest.fixture
    def names(self, store: RunStore, tables: Tables, experiment_id: str) -> dict[int, str]:
        """By row the names of six runs, `a` to `f`: `e` has a NaN, `f` no values."""
        depths, losses = ("9", "10", "9", "2", "10"), (0.5, 0.2, 0.9, 0.5, nan)
        run_ids = [
            store.create_run(experiment_id, run_name=name, start_time=10 * place + 10, user_id="me").run_id
            for place, name in enumerate("abcdef")
        ]
        for run_id, depth, loss in zip(run_ids[:5], depths, losses, strict=True):
            points = [Metric("loss", 3.0, 1, 0), Metric("loss", -1.0, 2, 1), Metric("loss", loss, 3, 2)]
            params = [Param("depth", depth), Param("kind", "tree")]
            store.log_batch(run_id, metrics=points, params=params, tags=[Tag("team", "x")])
        return dict(zip(tables.rows_of(run_ids), "abcdef", strict=True))

    def order(self, tables: Tables, names: dict[int, str], selection: Selection, *orders: Order) -> str:
        """The names of the rows that are found, in their order."""
        found = tables.find_rows(selection, orders)
        assert found.total == len(found.rows)
        return "".join(names[row] for row in found.rows)

    def test_rows_are_the_newest_first(
        self, tables: Tables, names: dict[int, str], experiment_id: str
    ) -> None:
        selection = Selection([experiment_id])
        assert self.order(tables, names, selection) == "fedcba"
        assert tables.find_rows(selection, most=2) == (6, tables.find_rows(selection).rows[:2])
        assert tables.find_rows(Selection([])) == (0, [])

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            (Order(LOSS), "bdacef"),
            (Order(LOSS, descending=True), "cdabef"),
            (Order(Column("metric", "loss", "max"), descending=True), "edcbaf"),
            (Order(DEPTH), "dcaebf"),
            (Order(DEPTH, descending=True), "ebcadf"),
            (Order(Column("tag", "team")), "edcbaf"),
            (Order(Column("attribute", "run_name")), "abcdef"),
            (Order(Column("attribute", "start_time"), descending=True), "fedcba"),
            (Order(Column("metric", "absent")), "fedcba"),
        ],
    )
    def test_order_has_numbers_as_numbers_and_the_missing_last(
        self, tables: Tables, names: dict[int, str], experiment_id: str, order: Order, expected: str
    ) -> None:
        assert self.order(tables, names, Selection([experiment_id]), order) == expected

    def test_a_second_order_decides_among_equals(
        self, tables: Tables, names: dict[int, str], experiment_id: str
    ) -> None:
        name = Column("attribute", "run_name")
        orders = Order(DEPTH), Order(name)
        assert self.order(tables, names, Selection([experiment_id]), *orders) == "dacbef"

    def test_filters_are_those_of_searches(
        self, store: RunStore, tables: Tables, names: dict[int, str], experiment_id: str
    ) -> None:
        assert self.order(tables, names, Selection([experiment_id], "params.depth = '9'")) == "ca"
        last = next(row for row, name in names.items() if name == "f")
        self.delete_run(store, tables.read_rows([experiment_id], [last], []).run_ids[0])
        assert self.order(tables, names, Selection([experiment_id])) == "edcba"
        assert self.order(tables, names, Selection([experiment_id], view_type="DELETED_ONLY")) == "f"
        assert self.order(tables, names, Selection([experiment_id], view_type="ALL")) == "fedcba"

    def test_a_bad_filter_is_refused_with_its_position(self, tables: Tables, experiment_id: str) -> None:
        with pytest.raises(InvalidValueError, match="at character 14"):
            tables.find_rows(Selection([experiment_id], "metrics.loss ~ 3"))

    def test_cells_by_column(
        self, store: RunStore, tables: Tables, names: dict[int, str], experiment_id: str
    ) -> None:
        rows = [row for row in names if names[row] in "bef"]
        other = store.create_run(store.create_experiment(f"other-{experiment_id}"), start_time=1)
        columns = [
            LOSS,
            Column("metric", "loss", "min"),
            Column("metric", "loss", "max"),
            DEPTH,
            Column("attribute", "run_name"),
            Column("attribute", "duration"),
            Column("tag", "team"),
            LOSS,
        ]
        window = tables.read_rows([experiment_id], [*rows, *tables.rows_of([other.run_id])], columns)
        assert window.rows == rows
        assert tables.rows_of([*window.run_ids, NO_RUN]) == rows
        last = [window.columns.pop(0), window.columns.pop(-1)]
        for column in last:
            assert column[0] == 0.2
            assert isinstance(column[1], float)
            assert isnan(column[1])
            assert column[2] is None
        assert window.columns == [
            [-1.0, -1.0, None],
            [3.0, 3.0, None],
            ["10", "10", None],
            ["b", "e", "f"],
            [None, None, None],
            ["x", "x", None],
        ]

    def test_cells_are_cut_and_keep_infinity(
        self, store: RunStore, tables: Tables, experiment_id: str
    ) -> None:
        run = store.create_run(experiment_id, start_time=1)
        store.log_batch(run.run_id, params=[Param("long", "x" * 5000)], metrics=[Metric("up", inf, 1, 0)])
        columns = Column("param", "long"), Column("metric", "up"), Column("metric", "up", "max")
        window = tables.read_rows([experiment_id], tables.rows_of([run.run_id]), columns)
        assert window.columns == [["x" * LONGEST], [inf], [inf]]

    def test_what_is_no_attribute_is_refused(self, tables: Tables, experiment_id: str) -> None:
        with pytest.raises(InvalidValueError, match="no attribute 'colour'"):
            tables.find_rows(Selection([experiment_id]), [Order(Column("attribute", "colour"))])

    def test_known_columns_say_what_differs(
        self, tables: Tables, names: dict[int, str], experiment_id: str
    ) -> None:
        known = tables.known_columns(Selection([experiment_id], "params.kind = 'tree'"))
        assert (known.total, known.looked_at) == (5, 5)
        assert [column for column in known.columns if not column.key.startswith("mlflow.")] == [
            ("metric", "loss", 5, True),
            ("param", "depth", 5, True),
            ("param", "kind", 5, False),
            ("tag", "team", 5, False),
        ]
        everything = tables.known_columns(Selection([experiment_id]))
        assert ("param", "kind", 5, True) in everything.columns

    def test_groups_have_statistics(self, tables: Tables, names: dict[int, str], experiment_id: str) -> None:
        groups = tables.groups(Selection([experiment_id]), DEPTH, [LOSS, Column("metric", "absent")])
        found = [(group.value, "".join(names[row] for row in group.rows)) for group in groups]
        assert found == [("2", "d"), ("9", "ca"), ("10", "eb"), (None, "f")]
        numbers = [group.statistics[0] for group in groups]
        assert numbers[0] == Statistics(1, 0.5, 0.0, 0.5, 0.5)
        assert numbers[1] is not None
        assert numbers[1]._replace(std=0.0) == Statistics(2, 0.7, 0.0, 0.5, 0.9)
        assert numbers[1].std == pytest.approx(sqrt(0.08))
        assert numbers[2:] == [Statistics(1, 0.2, 0.0, 0.2, 0.2), None]
        assert all(group.statistics[1] is None for group in groups)

    def test_children_name_their_parents(self, store: RunStore, tables: Tables, experiment_id: str) -> None:
        parent = store.create_run(experiment_id, start_time=1)
        tag = Tag("mlflow.parentRunId", parent.run_id)
        child = store.create_run(experiment_id, start_time=2, tags=[tag])
        of_parent, of_child = tables.rows_of([parent.run_id, child.run_id])
        assert tables.parents([experiment_id]) == [(of_child, of_parent)]
        group, alone = tables.groups(Selection([experiment_id]), Column("tag", "mlflow.parentRunId"))
        assert (group.value, group.rows) == (parent.run_id, [of_child])
        assert (alone.value, alone.rows) == (None, [of_parent])

    def test_changes_are_new_runs_and_those_under_way(
        self, store: RunStore, tables: Tables, names: dict[int, str], experiment_id: str
    ) -> None:
        start = tables.changes([experiment_id])
        assert (start.new, start.changed) == ([], [])
        assert tables.changes([experiment_id], start.token) == start
        first, second, *_ = names
        run_ids = tables.read_rows([experiment_id], [first, second], []).run_ids
        store.log_batch(run_ids[0], metrics=[Metric("loss", 7.0, 4, 3)])
        store.update_run(run_ids[1], status="FINISHED", end_time=99)
        new = store.create_run(experiment_id, start_time=1)
        later = tables.changes([experiment_id], start.token)
        assert (later.new, sorted(later.changed)) == (tables.rows_of([new.run_id]), sorted([first, second]))
        again = tables.changes([experiment_id], later.token)
        assert (again.new, again.changed) == ([], [])
        with pytest.raises(InvalidValueError):
            tables.changes([experiment_id], "nonsense")
