"""Requests of the Open Inference Protocol, right and wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def tensor(
    name: str, data: Sequence[object], datatype: str = "", shape: Sequence[int] | None = None
) -> dict[str, Any]:
    """An input; texts and numbers need no datatype, a column no shape."""
    kinds = {str: "BYTES", float: "FP64", int: "INT64", bool: "BOOL"}
    return {
        "name": name, "datatype": datatype or kinds[type(data[0])], "shape": list(shape or [len(data)]), "data": data
    }  # fmt: skip


COLUMNS = (
    tensor("boolean", [True, False]),
    tensor("integer", [1, -2], "INT32"),
    tensor("long", [1, 2**60]),
    tensor("float", [1.5, 0.25], "FP32"),
    tensor("double", [0.1, 1e300]),
    tensor("string", ["x", "é\ud83d\ude00"]),
    tensor("binary", ["eA==", "eHk="]),
    tensor("datetime", ["2026-01-31T00:00:00", "2026-01-31T10:20:30.123456"]),
)
"""One of each type of MLflow."""
_A, _B = tensor("a", [1.0, 2.0]), tensor("b", [3.0, 4.0], shape=[2, 1])
_PAIR = [tensor("x", [1, 2], "INT64", [1, 2]), tensor("y", [0.5], "FP64")]
GOOD: dict[str, list[list[dict[str, Any]]]] = {
    "back": [
        list(COLUMNS),
        [{**each, "shape": [2, 1]} for each in reversed(COLUMNS)],
        [each for each in COLUMNS if each["name"] != "string"],
        [tensor(each["name"], each["data"][:1], each["datatype"]) for each in COLUMNS],
    ],
    "back-tensor": [
        [tensor("any", [1.0, 2.0, 3.0, 4.0], "FP32", [2, 2])],
        [tensor("any", [], "FP32", [0, 2])],
        [tensor("any", [1.0, None], "FP32", [1, 2])],
    ],
    "back-tensors": [_PAIR, _PAIR[::-1]],
}
"""What the models take that give back what they were given."""
_CHANGES: tuple[dict[str, Any], ...] = (
    {"datatype": "FLOAT"}, {"datatype": None}, {"datatype": []}, {"shape": None}, {"shape": [-2]}, {"shape": [3]},
    {"shape": [True, 2]}, {"shape": [2.0]}, {"shape": []}, {"shape": [0, 10**30]}, {"shape": [1] * 100 + [2]},
    {"shape": [10**30] * 5000},
    {"data": None}, {"data": 1.0}, {"data": "12"}, {"data": {}}, {"data": [1.0]}, {"data": ["1", "2"]},
    {"data": [True, 1.0]}, {"data": [[1.0], 2.0]}, {"data": [[1.0], [2.0, 3.0]]}, {"data": [{}, 1.0]},
    {"data": [10**400, 1.0]}, {"data": []}, {"name": None}, {"name": "z"},
)  # fmt: skip
BODIES: list[object] = [
    "", "{", "[]", "null", "1", '"x"', "[" * 100_000, b"\xff", {}, {"inputs": {}}, {"inputs": []}, {"inputs": [1]},
    {"inputs": [{}]}, {"inputs": [{"name": 1}]}, {"inputs": [_A, _A]}, {"inputs": [_A, _B], "outputs": 1},
    {"inputs": [_A, _B], "outputs": [{}]}, {"inputs": [_A, _B], "outputs": [{"name": []}]},
    {"inputs": [_A]}, {"inputs": [_A, tensor("b", [1.0])]}, {"inputs": [_A, tensor("b", ["x", "y"])]},
    *({"inputs": [{**_A, **change}, _B]} for change in _CHANGES),
]  # fmt: skip
_CHANGED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("binary", {"data": ["x", "y"]}),
    ("datetime", {"data": ["yesterday", "x"]}),
    ("integer", {"data": [2**31, 0]}),
    ("integer", {"data": [1, None]}),
    ("integer", {"data": [1.5, 2.0]}),
    ("integer", {"datatype": "FP64", "data": [1.5, 2.5]}),
    ("string", {"data": ["\ud800", "x"]}),
    ("boolean", {"data": [1, 0]}),
    ("boolean", {"data": [None, True]}),
    ("long", {"datatype": "UINT64", "data": [2**64, 0]}),
)
WRONG: list[tuple[str, object]] = [
    *(("sklearn", body) for body in BODIES),
    *(
        ("back", {"inputs": [{**each, **change} if each["name"] == name else each for each in COLUMNS]})
        for name, change in _CHANGED
    ),
    ("back-tensor", {"inputs": [tensor("any", [1.0, 2.0], "FP64", [1, 2])]}),
    ("back-tensor", {"inputs": [tensor("any", [1.0, 2.0, 3.0], "FP32", [1, 3])]}),
    ("back-tensor", {"inputs": _PAIR}),
    ("back-tensors", {"inputs": _PAIR[:1]}),
    ("back-tensors", {"inputs": [_PAIR[0], tensor("y", [1])]}),
]
