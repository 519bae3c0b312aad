from __future__ import annotations

import json
import math

import pytest

from projrun.running.outputs.rows import Points, Row, line_row, number, row_of, rows_of


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ({"acc": 0.5, "name": "x", "ok": True, "none": None}, [Row((("acc", 0.5),))]),
        ({"step": 3, "acc": 1}, [Row((("acc", 1.0),), 3)]),
        ({"train": {"loss": 1, "deep": {"x": 2}}}, [Row((("train/loss", 1.0), ("train/deep/x", 2.0)))]),
        ([{"epoch": 1, "a": 2}, {"epoch": 2, "a": 3}], [Row((("a", 2.0),), 1), Row((("a", 3.0),), 2)]),
        ({"loss": [3, 2]}, [Row(()), Row((("loss", 3.0),), 0), Row((("loss", 2.0),), 1)]),
        ({"epoch": [5, 6], "loss": [3, 2]}, [Row(()), Row((("loss", 3.0),), 5), Row((("loss", 2.0),), 6)]),
        ({"step": 1, "epoch": 2, "a": 3}, [Row((("epoch", 2.0), ("a", 3.0)), 1)]),
        ({"step": 10**30, "a": 1}, [Row((("a", 1.0),))]),
        ({"a": 10**400}, [Row(())]),
        ({"loss (train)": 1, "../x": 2, "": 3}, [Row((("loss _train_", 1.0),))]),
        ("text", []),
        (7, []),
    ],
)
def test_rows_of_a_document(document: object, rows: list[Row]) -> None:
    assert [*rows_of(document)] == rows


def test_json_of_python_has_nan() -> None:
    ((row),) = rows_of(json.loads('{"a": NaN, "b": -Infinity}'))
    assert math.isnan(row.values[0][1])
    assert row.values[1] == ("b", -math.inf)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ({"rmse": 0.3, "step": 2}, Row((("rmse", 0.3),), 2)),
        (
            {"key": "loss", "value": "NaN?", "step": 1},
            Row((), 1),
        ),
        ({"key": "loss", "value": 2, "step": 1, "timestamp": 1700000000000}, Row((("loss", 2.0),), 1, 1700000000000)),
        ({"loss": 2, "timestamp": 1700000000.25}, Row((("loss", 2.0),), None, 1700000000250)),
        ({"loss": 2, "timestamp": -1}, Row((("loss", 2.0),))),
        ({"key": 1, "value": 2}, Row((("key", 1.0), ("value", 2.0)))),
        ([1], Row(())),
    ],
)  # fmt: skip
def test_rows_of_lines(line: object, row: Row) -> None:
    assert line_row(line) == row


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.25", 0.25), ("0.25,", 0.25), ("3.", 3), ("1e-3)", 1e-3), ("97%", 97), ("inf", math.inf),
     ("x", None), ("", None)],
)  # fmt: skip
def test_numbers_of_an_output(text: str, value: float | None) -> None:
    assert number(text) == value


def test_a_row_without_a_step_is_the_next_one_of_each_metric() -> None:
    points = Points()
    rows = [
        row_of({"a": 1.0}.items()),
        row_of({"a": 2.0, "b": 5.0}.items()),
        row_of({"a": 3.0, "step": 7}.items()),
    ]
    found = [(one.key, one.value, one.step) for row in rows for one in points.of(row)]
    assert found == [("a", 1, 0), ("a", 2, 1), ("b", 5, 0), ("a", 3, 7)]


def test_what_comes_again_is_no_other_point() -> None:
    points = Points(again=True)

    def steps(*values: float) -> list[int]:
        return [one.step for value in values for one in points.of(Row((("a", value),)), counted=False)]

    assert steps(1, 1, 2, math.nan, math.nan, 2) == [0, 1, 2, 3]
    points.restart()
    numbered = [
        one
        for row in (Row((("b", 1.0),), 4), Row((("b", 1.0),), 4), Row((("b", 2.0),), 4))
        for one in points.of(row)
    ]
    assert [(one.value, one.step) for one in numbered] == [(1, 4), (2, 4)]
