"""The request to try a model with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.models.mlmodel import InputExample, MLmodel, read_mlmodel
from projrun.models.serving.example import curl_data, example_body, written_example

COLUMNS = '[{"name": "a", "type": "double"}, {"name": "b", "type": "string", "required": false}]'
UNNAMED = '[{"type": "double"}, {"type": "long"}]'
TENSOR = '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]'
TENSORS = """[{"name": "x", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1, 2]}},
  {"name": "y", "type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]"""
PICTURE = '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 224, 224, 3]}}]'
PARAMS = '[{"name": "depth", "type": "long", "default": 3, "shape": null}]'


def model(folder: Path, *, inputs: str = "", params: str = "", example: str = "", **files: object) -> MLmodel:
    lines = ["flavors: {}"]
    if inputs:
        lines += ["signature:", f"  inputs: {json.dumps(inputs)}", f"  params: {json.dumps(params or None)}"]
    if example:
        lines.append(f"saved_input_example_info: {example}")
    (folder / "MLmodel").write_text("\n".join(lines))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return read_mlmodel(folder)


@pytest.mark.parametrize(
    ("inputs", "params", "body"),
    [
        (COLUMNS, "", {"dataframe_records": [{"a": 0, "b": ""}]}),
        (COLUMNS, PARAMS, {"dataframe_records": [{"a": 0, "b": ""}], "params": {"depth": 3}}),
        (UNNAMED, "", {"dataframe_split": {"data": [[0, 0]]}}),
        (TENSOR, "", {"inputs": [[0, 0, 0]]}),
        (TENSORS, "", {"inputs": {"x": [[0, 0]], "y": [0]}}),
    ],
)
def test_one_is_made_from_a_signature(tmp_path: Path, inputs: str, params: str, body: object) -> None:
    data = curl_data(model(tmp_path, inputs=inputs, params=params), tmp_path)
    assert data is not None
    assert json.loads(data) == body


@pytest.mark.parametrize("inputs", ["", PICTURE])
def test_none_where_nothing_says_what_the_model_takes_on_a_line(tmp_path: Path, inputs: str) -> None:
    assert curl_data(model(tmp_path, inputs=inputs), tmp_path) is None


SERVING = "{artifact_path: input.json, serving_input_path: serving.json, type: dataframe}"


def test_the_saved_one_is_shown_as_it_is(tmp_path: Path) -> None:
    body = {"dataframe_split": {"columns": ["ä"], "data": [[1.0], [2.0]]}, "params": {"k": 1}}
    data = curl_data(model(tmp_path, inputs=COLUMNS, example=SERVING, serving=body), tmp_path)
    assert data is not None
    assert data.isascii()
    assert json.loads(data) == body


def test_of_a_long_table_the_first_row_is_shown(tmp_path: Path) -> None:
    table = {"index": list(range(100)), "columns": ["a"], "data": [[float(row)] for row in range(100)]}
    data = curl_data(model(tmp_path, example=SERVING, serving={"dataframe_split": table}), tmp_path)
    assert data == '{"dataframe_split": {"columns": ["a"], "data": [[0.0]]}}'


def test_one_too_long_for_a_line_is_a_file(tmp_path: Path) -> None:
    found = model(tmp_path, example=SERVING, serving={"inputs": [0.5] * 500})
    assert curl_data(found, tmp_path) == f"@{tmp_path / 'serving.json'}"


@pytest.mark.parametrize(
    ("kind", "saved", "body"),
    [
        (
            "dataframe",
            {"columns": ["a"], "data": [[1]]},
            {"dataframe_split": {"columns": ["a"], "data": [[1]]}},
        ),
        ("ndarray", {"inputs": [[1, 2]]}, {"inputs": [[1, 2]]}),
        ("json_object", ["a question"], {"inputs": ["a question"]}),
        ("sparse_matrix_csc", {"data": [1], "indices": [0], "indptr": [0, 1], "shape": [1, 1]}, None),
    ],
)
def test_inputs_that_older_mlflows_saved_become_bodies(
    tmp_path: Path, kind: str, saved: object, body: object
) -> None:
    found = model(tmp_path, example=f"{{artifact_path: input.json, type: {kind}}}", input=saved)
    assert written_example(tmp_path, found.input_example) == body
    assert example_body(tmp_path, found.input_example) == body


TABLE = {"columns": ["a"], "data": [[1]]}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (TABLE, {"dataframe_split": TABLE}),  # MLflow 1 and 2
        ({"inputs": [1]}, {"inputs": [1]}),
        ({"dataframe_records": [{"a": 1}]}, {"dataframe_records": [{"a": 1}]}),
        ([{"role": "user"}], {"inputs": [{"role": "user"}]}),
    ],
)
def test_an_example_without_a_kind_becomes_a_body(tmp_path: Path, written: object, expected: object) -> None:
    (tmp_path / "x.json").write_text(json.dumps(written))
    assert example_body(tmp_path, InputExample("x.json")) == expected


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("absent.json", "", "it is not in the model's folder"),
        ("../up.json", "{}", "it is not in the model's folder"),
        ("x.json", "{", "it is damaged"),
        ("x.json", "\xff", "it is damaged"),
        ("link.json", "{}", "it is not in the model's folder"),
    ],
)
def test_an_example_that_cannot_be_read(tmp_path: Path, name: str, text: str, said: str) -> None:
    """A link out of the model's folder neither: the model need not be trusted yet."""
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "up.json").write_text('{"inputs": "secret"}')
    (folder / "link.json").symlink_to(tmp_path / "up.json")
    (folder / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RequestError, match=rf"input example {name} cannot be read: {said}"):
        example_body(folder, InputExample(name))
    assert written_example(folder, InputExample(name)) is None


@pytest.mark.parametrize(
    "place",
    [
        "../outside.json", "link.json", "/etc/passwd", "none.json", "itself.json",
        pytest.param("x" * 5000, id="long"),
    ],
)  # fmt: skip
def test_no_file_outside_of_the_model_is_read(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.json").write_text('{"inputs": "secret"}')
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    (folder / "itself.json").symlink_to("itself.json")
    found = model(folder, example=f"{{artifact_path: {place}, serving_input_path: {place}}}")
    assert curl_data(found, folder) is None
