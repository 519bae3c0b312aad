"""MLmodel files of MLflow 1 to 3, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.models.mlmodel import InputExample, read_mlmodel
from projrun.models.signature import DataType, Field

NEW = """\
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    python_version: 3.11.7
  sklearn: {sklearn_version: 1.9.1}
mlflow_version: 3.17.2
model_id: m-0123456789abcdef0123456789abcdef
model_size_bytes: 9361
model_uuid: m-0123456789abcdef0123456789abcdef
run_id: 5f1
saved_input_example_info:
  artifact_path: input_example.json
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "double", "name": "a", "required": true}, {"type": "double",
    "name": "b", "required": true}]'
  outputs: null
  params: null
utc_time_created: '2026-11-29 07:57:09.710656'
"""
OLD = """\
artifact_path: model
flavors:
  python_function:
    env: conda.yaml
    loader_module: mlflow.sklearn
    model_path: model.pkl
    python_version: 3.6.10
run_id: abc
utc_time_created: '2020-01-01 00:00:00.000000'
"""


def written(folder: Path, text: str) -> Path:
    """A folder with this MLmodel file."""
    (folder / "MLmodel").write_text(text)
    return folder


def test_a_file_of_mlflow_3(tmp_path: Path) -> None:
    model = read_mlmodel(written(tmp_path, NEW))
    assert list(model.flavors) == ["python_function", "sklearn"]
    assert model.pyfunc is not None
    assert model.pyfunc["loader_module"] == "mlflow.sklearn"
    assert model.signature is not None
    assert model.signature.inputs == (Field("a", DataType("double")), Field("b", DataType("double")))
    assert model.input_example == InputExample(
        "input_example.json", "serving_input_example.json", "dataframe"
    )
    assert (model.model_id[:4], model.run_id, model.size_bytes) == ("m-01", "5f1", 9361)
    assert (model.mlflow_version, model.created[:10]) == ("3.17.2", "2026-11-29")


def test_a_file_of_mlflow_1(tmp_path: Path) -> None:
    model = read_mlmodel(written(tmp_path, OLD))
    assert (model.run_id, model.artifact_path, model.mlflow_version) == ("abc", "model", "")
    assert model.signature is None
    assert model.input_example is None
    assert model.pyfunc == {
        "env": "conda.yaml", "loader_module": "mlflow.sklearn", "model_path": "model.pkl", "python_version": "3.6.10",
    }  # fmt: skip


def test_a_folder_without_one(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is not a model: it has no MLmodel file"):
        read_mlmodel(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "", "- a\n", "flavors: 3\n", "flavors: {a: 3}\n", "flavors: {}\nsignature: {inputs: '{'}\n",
        "flavors: !!python/object/apply:os.system [id]\n", "flavors: {a: &a [*a]}\n", "a: [\n", "[" * 100,
        "flavors: {}\nsignature: {inputs: 5}\n", "flavors: {}\nsignature: 5\n", "flavors: {? [a] : b}\n",
    ],
)  # fmt: skip
def test_what_is_no_mlmodel_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_mlmodel(written(tmp_path, text))
    assert "MLmodel" in caught.value.message
    assert "\n" not in caught.value.message


def test_what_is_damaged_is_said(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="damaged: found unhashable key"):
        read_mlmodel(written(tmp_path, "flavors: {? [a] : b}\n"))


@pytest.mark.parametrize("size", ["9" * 400, "-1", "many", "[1]"])
def test_a_size_that_no_model_has_is_unknown(tmp_path: Path, size: str) -> None:
    assert read_mlmodel(written(tmp_path, f"flavors: {{}}\nmodel_size_bytes: {size}\n")).size_bytes is None


@pytest.mark.parametrize("version", ["3.11.7", "3.6.10", "3.15.0rc1", "3.14.0+"])
def test_the_python_that_saved_it(tmp_path: Path, version: str) -> None:
    text = f"flavors: {{python_function: {{python_version: {version}}}}}\n"
    assert read_mlmodel(written(tmp_path, text)).python == version


@pytest.mark.parametrize("version", ["[3, 11]", "--help", '"3.11\\nprojrun: error: x"', "~", "''"])
def test_what_is_no_version_of_python_is_none(tmp_path: Path, version: str) -> None:
    text = f"flavors: {{python_function: {{python_version: {version}}}}}\n"
    assert read_mlmodel(written(tmp_path, text)).python == ""
