"""Tables of requests that are answered together."""

from __future__ import annotations

import json

import pytest

from projrun.models.serving.tables import Table, divided, read_table, together

JSON = "application/json"


def table(value: object) -> Table | None:
    return read_table(JSON, json.dumps(value).encode())


def split(*rows: object, columns: object = ("a", "b"), **more: object) -> dict[str, object]:
    return {"dataframe_split": {"columns": columns, "data": rows}, **more}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (split([1, "x"]), split([2, "y"], [3, "z"]), split([1, "x"], [2, "y"], [3, "z"])),
        (split([1.5, None], params={"k": 1}), split([2.5, None], params={"k": 1}),
         split([1.5, None], [2.5, None], params={"k": 1})),
        *(({form: [{"a": 1, "b": True}]}, {form: [{"a": 2, "b": False}]},
           {form: [{"a": 1, "b": True}, {"a": 2, "b": False}]})
          for form in ("dataframe_records", "instances", "inputs")),
        ({"instances": [[1, 2], [3, 4]]}, {"instances": [[5, 6]]}, {"instances": [[1, 2], [3, 4], [5, 6]]}),
        ({"inputs": [[1.0]], "params": {"p": []}}, {"inputs": [[2.0]], "params": {"p": []}},
         {"inputs": [[1.0], [2.0]], "params": {"p": []}}),
    ],
)  # fmt: skip
def test_rows_of_one_kind_go_together(one: object, other: object, both: object) -> None:
    first, second = table(one), table(other)
    assert first and second and first.kind == second.kind
    assert json.loads(together([first, second])) == json.loads(json.dumps(both))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (split([1, 2]), split([1, 2.5])),
        (split([1, 2]), split([1, None])),
        (split([1, 2]), split([1, True])),
        (split([1, "2"]), split([1, 2])),
        (split([1, 2]), split([1, 2], columns=["b", "a"])),
        (split([1, 2]), split([1, 2, 3])),
        (split([1, 2]), split([1, 2], params={"k": 1})),
        (split([1, 2], params={"k": 1}), split([1, 2], params={"k": 2})),
        ({"dataframe_records": [{"a": 1, "b": 2}]}, {"dataframe_records": [{"b": 1, "a": 2}]}),
        ({"dataframe_records": [{"a": 1}]}, {"dataframe_records": [{"b": 1}]}),
        ({"inputs": [{"a": 1}]}, {"instances": [{"a": 1}]}),
        ({"inputs": [[1, 2]]}, {"inputs": [{"a": 1, "b": 2}]}),
    ],
)
def test_rows_that_would_change_their_types_do_not(one: object, other: object) -> None:
    first, second = table(one), table(other)
    assert first and second and first.kind != second.kind


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"1", b"\xff", b'{"instances": []}', b'{"instances": 1}', b'{"instances": [1, 2]}',
        b'{"instances": [[1, 2], [1]]}', b'{"instances": [[1], [1.5]]}', b'{"instances": [[[1]]]}',
        b'{"instances": [[NaN]]}', b'{"instances": [[9007199254740993]]}', b'{"instances": [[1]], "inputs": [[1]]}',
        b'{"instances": [[1]], "more": 1}', b'{"inputs": {"a": [1]}}', b'{"columns": ["a"], "data": [[1]]}',
        b'{"dataframe_split": {"index": [7], "columns": ["a"], "data": [[1]]}}',
        b'{"dataframe_split": {"columns": ["a"], "data": [[1]]}, "inputs": [[1]]}',
        b'{"dataframe_split": {"columns": ["a"], "data": []}}', b'{"messages": []}',
        b'{"instances": [["' + b"x" * 70_000 + b'"]]}',
    ],
)  # fmt: skip
def test_others_are_asked_for_alone(body: bytes) -> None:
    assert read_table(JSON, body) is None


def test_only_json_is_read() -> None:
    body = b'{"instances": [[1]]}'
    assert read_table("application/json; charset=UTF-8", body)
    for kind in ("text/csv", "", "application/json; charset=latin-1", "application/json; format=x"):
        assert read_table(kind, body) is None


def test_an_answer_is_divided_as_each_would_have_been_written() -> None:
    one, two = table(split([1, 2], [3, 4])), table(split([5, 6]))
    assert one and two
    answer = b'{"predictions": [{"p": 1.50}, "\\u00e9", [null]]}'
    assert divided(answer, [one, two]) == [
        b'{"predictions": [{"p": 1.50}, "\\u00e9"]}',
        b'{"predictions": [[null]]}',
    ]
    assert divided(b'{"predictions": [NaN, Infinity, 1.5]}', [one, two]) == [
        b'{"predictions": [NaN, Infinity]}',
        b'{"predictions": [1.5]}',
    ]


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[1, 2]", b'{"predictions": [1]}', b'{"predictions": [1, 2, 3]}', b'{"predictions": {"a": [1, 2]}}',
        b'{"predictions": 1}', b'{"predictions": [1, 2], "more": 1}', b'{"other": NaN}', b"\xff",
    ],
)  # fmt: skip
def test_an_answer_without_a_prediction_for_each_row_is_not_divided(answer: bytes) -> None:
    tables = [each for each in (table(split([1, 2])), table(split([3, 4]))) if each]
    assert divided(answer, tables) is None
