from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.errors import RequestError
from projrun.project.assignments import parse_assignments
from projrun.project.reading.parameters_file import read_parameters_file


def read(folder: Path, text: str, name: str = "params.yaml") -> dict[str, str]:
    """The values of a parameters file that holds `text`."""
    (folder / name).write_text(text, encoding="utf-8")
    return read_parameters_file(folder / name)


def test_yaml_keeps_source_text(tmp_path: Path) -> None:
    text = (
        "a: 1e-5\nb: 0.10\nc: 010\nd: yes\ne: 'a b'\nf: ''\ng: .inf\nh: 2001-01-01\ni: |\n  x\n  y\n1: one\n"
    )
    assert read(tmp_path, text) == {
        "a": "1e-5",
        "b": "0.10",
        "c": "010",
        "d": "True",
        "e": "a b",
        "f": "",
        "g": "inf",
        "h": "2001-01-01",
        "i": "x\ny\n",
        "1": "one",
    }


def test_json_keeps_source_text(tmp_path: Path) -> None:
    text = (
        '{"a": 1e-5, "b": 0.10, "c": 12345678901234567890123, "d": true, "e": "\\ud83c\\udf89\\n", "f": NaN,'
        ' "g": -Infinity, "h": ""}'
    )
    assert read(tmp_path, text, "params.JSON") == {
        "a": "1e-5",
        "b": "0.10",
        "c": "12345678901234567890123",
        "d": "True",
        "e": "🎉\n",
        "f": "nan",
        "g": "-inf",
        "h": "",
    }


@pytest.mark.parametrize(
    ("name", "text"), [("p.yaml", ""), ("p.yaml", "# none"), ("p.yaml", "{}"), ("p.json", "{}")]
)
def test_empty_files(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path, text, name) == {}


@pytest.mark.parametrize(
    ("name", "text", "place", "problem"),
    [
        ("p.yaml", "a: 1\nb: [1]\n", "2:4", "the value of 'b' must be"),
        ("p.yaml", "a: {b: 1}\n", "1:4", "the value of 'a' must be"),
        ("p.yaml", "a:\n", "1:3", "the value of 'a' must be"),
        ("p.yaml", "a: ~\n", "1:4", "the value of 'a' must be"),
        ("p.yaml", "- a\n", "1:1", "must be a mapping"),
        ("p.yaml", "a: 1\na: 2\n", "2:1", "duplicate key 'a'"),
        ("p.yaml", "a: [", "1:5", "YAML: "),
        ("p.yaml", "a: !x 1", "1:4", "YAML: "),
        ("p.json", '{\n  "a": 1,\n  "b": [1]\n}', "3:3", "the value of 'b' must be"),
        ("p.json", '{"a": {"b": 1}}', "1:2", "the value of 'a' must be"),
        ("p.json", '{"a": null}', "1:2", "the value of 'a' must be"),
        ("p.json", '{"a": 1,\n "a": 2}', "2:2", "duplicate key 'a'"),
        ("p.json", '{"a": 1,}', "1:", "JSON: "),
        ("p.json", "", "1:1", "JSON: "),
        ("p.json", "[1]", "1:1", "must be a mapping"),
        ("p.json", '"a"', "1:1", "must be a mapping"),
        ("p.json", "5", "1:1", "must be a mapping"),
    ],
)
def test_refused_with_a_place(tmp_path: Path, name: str, text: str, place: str, problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(tmp_path, text, name)
    assert caught.value.message.startswith(f"{tmp_path / name}:{place}")
    assert problem in caught.value.message


def test_deep_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        read(tmp_path, '{"a": ' + "[" * 100_000, "p.json")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"cannot read .*p\.yaml: No such file or directory"):
        read_parameters_file(tmp_path / "p.yaml")


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.floats() | st.booleans()))
def test_any_json_of_scalars_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    assert read_parameters_file(path) == {name: str(value) for name, value in values.items()}


@given(st.binary(max_size=100), st.sampled_from(["any.yaml", "any.json"]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data)
    try:
        read_parameters_file(path)
    except RequestError as error:
        assert "\n" not in error.message


@pytest.mark.parametrize(
    ("items", "values"),
    [
        ([], {}),
        (["a=1"], {"a": "1"}),
        (["a="], {"a": ""}),
        (["a=b=c"], {"a": "b=c"}),
        (["a= x "], {"a": " x "}),
        (["a=1\n2", "b c=3"], {"a": "1\n2", "b c": "3"}),
    ],
)
def test_assignments(items: list[str], values: dict[str, str]) -> None:
    assert parse_assignments(items) == values


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["flag"], "-P 'flag' has no value: write -P NAME=VALUE"),
        ([""], "-P '' has no value: write -P NAME=VALUE"),
        (["=x"], "a -P has no name before its `=`: write -P NAME=VALUE"),
        (["a=hunter1", "a=hunter2"], "-P 'a' is given twice: keep one of them"),
    ],
)
def test_wrong_assignments(items: list[str], message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_assignments(items)
    assert caught.value.message == message


def test_all_wrong_assignments_at_once() -> None:
    with pytest.raises(RequestError) as caught:
        parse_assignments(["flag", "a=hunter1", "a=hunter2", "a=hunter3", "=x"])
    assert caught.value.message == "4 of the -P options are wrong"
    assert caught.value.detail.splitlines() == [
        "-P 'flag' has no value: write -P NAME=VALUE",
        "-P 'a' is given twice: keep one of them",
        "a -P has no name before its `=`: write -P NAME=VALUE",
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.json", '{"a": "hunter2", }'),
        ("p.json", '{"a": ["hunter2"]}'),
        ("p.json", '{"a": "hunter2", "a": "hunter3"}'),
        ("p.yaml", "a: {b: hunter2}\n"),
        ("p.yaml", "a: 'hunter2\n"),
        ("p.yaml", "a: hunter2\na: hunter3\n"),
        ("p.yaml", "- hunter2\n"),
    ],
)
def test_no_value_is_shown(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(RequestError) as caught:
        read_parameters_file(file)
    error = caught.value
    assert f"{name}:" in error.message
    assert "hunter" not in error.message + error.hint + error.detail
