"""Requests to scoring servers, right and wrong ones: what `mlflow models serve` answers is what ours has to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

JSON = "application/json"
CSV = "text/csv"


class Request(NamedTuple):
    """One request to `/invocations`, unless it says otherwise."""

    body: bytes | str = b""
    kind: str = JSON
    path: str = "/invocations"
    method: str = "POST"


ROUTES = (
    *(
        Request(path=path, method="GET")
        for path in ("/ping", "/health", "/version", "/invocations", "/", "/nothing")
    ),
    *(Request("{}", path=path) for path in ("/ping", "/health", "/version", "/nothing")),
    *(Request(path="/invocations", method=method) for method in ("PUT", "DELETE", "PATCH")),
    Request(path="/ping", method="HEAD"),
)
VALUES: tuple[object, ...] = (
    None, 1, "text", [], {}, [1], [[1]], [[1, 2], [3]], {"a": 1}, {"a": [1]}, [{}], [None], [[None]], True,
)  # fmt: skip
WRONG: tuple[Request, ...] = (
    *(Request(text) for text in ("", "{", "[]", "{}", "1", "null", '"text"', "true", "[[1, 2]]", "\xff", "NaN", "no")),
    Request(b"\xff\xfe"),
    *(Request(json.dumps({key: value})) for key in ("dataframe_split", "dataframe_records", "instances", "inputs")
      for value in VALUES),
    Request('{"instances": [[1, 2]], "inputs": [[1, 2]]}'),
    Request('{"dataframe_split": {"data": [[1, 2]]}, "inputs": [1]}'),
    Request('{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}'),
    Request('{"dataframe_split": {"columns": ["a", "b"]}}'),
    Request('{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]], "more": 1}}'),
    Request('{"columns": ["a", "b"]}'),
    Request('{"inputs": [[1, 2]], "signature_name": "s"}'),
    Request('{"inputs": [[1, 2]], "other": 1}'),
    Request('{"messages": [{"role": "user", "content": "hello"}]}'),
    *(Request(text, CSV) for text in (
        "a", "a,b\n", "a,b\n1,2\n", "a,b\n1,2,3\n", "b,a\n2,1\n", "a,b\nx,y\n", "x\n1\n", "", '"')),
    Request(b"a,b\n\xff,1\n", CSV),
    *(Request("{}", kind) for kind in (
        "text/plain", "application/xml", "application/json; charset=latin-1", "application/json; format=pandas-split",
        "application/json; charset=UTF-8", "text/csv; header=present", "application/octet-stream", "json")),
    Request(b"PAR1", "application/vnd.apache.parquet"),
)  # fmt: skip
TABLES: tuple[object, ...] = (
    {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2.5], [3, 4]]}},
    {"dataframe_split": {"columns": ["b", "a"], "data": [[1, 2.5]]}},
    {"dataframe_split": {"index": [7], "columns": ["a", "b"], "data": [[1, 2.5]]}},
    {"dataframe_split": {"columns": ["a"], "data": [[1]]}},
    {"dataframe_split": {"columns": ["a", "b", "c"], "data": [[1, 2, 3]]}},
    {"dataframe_split": {"columns": ["a", "b"], "data": [["x", 1]]}},
    {"dataframe_split": {"columns": ["a", "b"], "data": [["1.5", "2"]]}},
    {"dataframe_split": {"columns": ["a", "b"], "data": [[None, 1]]}},
    {"dataframe_split": {"columns": ["a", "b"], "data": []}},
    {"dataframe_records": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]},
    {"dataframe_records": [{"a": 1}, {"b": 4}]},
    {"dataframe_records": [{"a": True, "b": False}]},
    {"instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]},
    {"instances": [{"a": 1, "b": 2}, {"a": 3}]},
    {"instances": [[1, 2], [3, 4]]},
    {"inputs": {"a": [1, 2], "b": [3, 4]}},
    {"inputs": {"a": [1, 2], "b": [3]}},
    {"inputs": {"a": 1, "b": 2}},
    {"inputs": [{"a": 1, "b": 2}]},
    {"inputs": [[1, 2]], "params": {"depth": 1}},
    {"inputs": {"a": [1.0], "b": [2.0]}, "params": {"depth": 1, "unknown": 2}},
)
ROW = {
    "boolean": True, "integer": 1, "long": 2, "float": 1.5, "double": 2.5, "string": "s", "binary": "aGk=",
    "datetime": "2024-01-02T03:04:05",
}  # fmt: skip
TENSORS: tuple[object, ...] = (
    {"inputs": [[1, 2], [3, 4]]},
    {"inputs": [[1.5, 2]]},
    {"inputs": [[1, 2, 3]]},
    {"inputs": [1, 2]},
    {"inputs": [["a", "b"]]},
    {"inputs": [[1, 2], [3]]},
    {"inputs": {"x": [[1, 2]], "y": [1.5]}},
    {"inputs": {"x": [[1, 2]]}},
    {"inputs": {"x": [[1.5, 2]], "y": [1]}},
    {"inputs": {"x": [[1, 2]], "y": [1], "z": [2]}},
    {"instances": [{"x": [1, 2], "y": 1.5}, {"x": [3, 4], "y": 2.5}]},
    {"instances": [[1, 2], [3, 4]]},
    {"instances": [{"x": [1, 2]}]},
    {"dataframe_split": {"columns": ["x", "y"], "data": [[[1, 2], 1.5]]}},
    {"dataframe_split": {"columns": [0, 1], "data": [[1, 2]]}},
)


def every_type() -> Iterator[object]:
    """A row that has each type, its cells replaced by others, and parameters."""
    for key in ("dataframe_records", "inputs", "instances"):
        yield {key: [ROW]}
    yield {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}}
    yield {"inputs": {name: [value] for name, value in ROW.items()}}
    wrong = {
        "boolean": (1, "true", None, 0.5), "integer": (1.5, 2**40, "1", True, None), "long": (1.5, "2", 2**70, None),
        "float": (1, "1.5", 1e300, None, True), "double": (1, "x", None), "string": (1, None, ["s"]),
        "binary": ("%%%", 1, None), "datetime": ("yesterday", 1, None, "2024-01-02", "2024-01-02T03:04:05+02:00"),
    }  # fmt: skip
    for name, values in wrong.items():
        yield from ({"dataframe_records": [{**ROW, name: value}]} for value in values)
        yield {"dataframe_records": [{key: value for key, value in ROW.items() if key != name}]}
    given: tuple[object, ...] = (
        None, {}, {"depth": 5}, {"depth": "5"}, {"depth": 1.5}, {"words": ["b", "c"]}, {"words": "b"}, {"words": [1]},
        {"other": 1}, [], 1, "text",
    )  # fmt: skip
    for params in given:
        yield {"dataframe_records": [ROW], "params": params}


NESTED_ROW: dict[str, object] = {
    "longs": [1, 2], "lists": [[1.5], [2.5]], "person": {"name": "Ada", "age": 36}, "people": [{"name": "Bob"}],
    "map": {"a": "b"}, "any": [1, "two", None], "number": 1.5,
}  # fmt: skip


def nested_types() -> Iterator[object]:
    """A row with arrays, objects and maps, its cells replaced by others."""
    for key in ("dataframe_records", "inputs", "instances"):
        yield {key: [NESTED_ROW]}
        yield {key: [NESTED_ROW, {"longs": [], "person": {"name": "B"}}]}
    yield {"inputs": NESTED_ROW}
    yield {"dataframe_split": {"columns": list(NESTED_ROW), "data": [list(NESTED_ROW.values())]}}
    other: dict[str, tuple[object, ...]] = {
        "longs": ([1.5], ["1"], 1, None, [None], [2**70], [True], {}),
        "lists": ([], [[1]], [[1.5], []], [["x"]], [1], None, "x"),
        "person": (
            {}, {"name": 1}, {"name": "A", "age": None}, {"name": "A", "age": "1"}, {"name": "A", "x": 1}, [], None,
        ),
        "people": ([], [{}], [{"name": "A", "age": 1}], {"name": "A"}, None, ["x"]),
        "map": ({}, {"a": 1}, {"a": None}, [], None, "x"),
        "any": (None, 1, "x", {"a": [1]}, []),
        "number": (1, 0, "1", None, True, [1.5]),
    }  # fmt: skip
    for name, values in other.items():
        for value in values:
            yield {"dataframe_records": [{**NESTED_ROW, name: value}]}
            yield {"inputs": [{**NESTED_ROW, name: value}]}
        yield {"dataframe_records": [{key: value for key, value in NESTED_ROW.items() if key != name}]}


PLAIN: tuple[object, ...] = (
    {"inputs": "hello"}, {"inputs": ["hello", "world"]}, {"inputs": [1, 2]}, {"inputs": [["a", "b"]]}, {"inputs": 1},
    {"inputs": [[1.5, "x"]]}, {"instances": ["a"]}, {"dataframe_split": {"data": [[1.5, "x"]]}},
    {"dataframe_split": {"data": [["x"]]}}, {"dataframe_split": {"data": [[1.5, "x", 3]]}},
    {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"]]}}, {"dataframe_records": [{"a": 1.5, "b": "x"}]},
    {"dataframe_records": ["a", "b"]}, {"inputs": {"a": [1.5], "b": ["x"]}}, {"prompt": "hello", "n": 1},
    *({"inputs": [[0]] * count} for count in range(1, 6)),
)  # fmt: skip


def requests_for(model: str) -> tuple[Request, ...]:
    """The requests that a model gets."""
    values: dict[str, Iterator[object]] = {
        "every": every_type(),
        "custom": every_type(),
        "nested": nested_types(),
        "unnamed": iter(PLAIN),
        "text": iter(PLAIN),
        "given": iter(PLAIN),
        "tensor": iter(TENSORS),
        "tensors": iter(TENSORS),
    }
    own = tuple(Request(json.dumps(value)) for value in values.get(model, iter(TABLES)))
    return (*own, *ROUTES, *WRONG) if model in ("sklearn", "plain") else (*own, *WRONG[:40])
