"""Checking a model: its example as a request, requirements beside what is installed, predictions beside others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.models.checking import (
    PackageDifference,
    example_body,
    first_difference,
    installed,
    read_expected,
)
from projrun.models.mlmodel import InputExample, MLmodel
from projrun.models.recorded import RecordedEnvironment
from projrun.models.serving.process import ModelError
from projrun.models.serving.served import ServedModel

TABLE = {"columns": ["a"], "data": [[1]]}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (TABLE, {"dataframe_split": TABLE}),  # MLflow 1 and 2
        ({"inputs": [1]}, {"inputs": [1]}),
        ([{"role": "user"}], {"inputs": [{"role": "user"}]}),
    ],
)
def test_an_example_of_older_versions_becomes_a_body(
    tmp_path: Path, written: object, expected: object
) -> None:
    (tmp_path / "x.json").write_text(json.dumps(written))
    body = example_body(MLmodel({}, input_example=InputExample("x.json")), tmp_path)
    assert json.loads(body or b"") == expected


def test_an_example_of_mlflow_3_is_a_body_already(tmp_path: Path) -> None:
    (tmp_path / "serving.json").write_text('{"dataframe_split": {}}')
    example = InputExample("absent.json", "serving.json", "dataframe")
    assert example_body(MLmodel({}, input_example=example), tmp_path) == b'{"dataframe_split": {}}'
    assert example_body(MLmodel({}), tmp_path) is None
    sparse = InputExample("x.npz", "", "sparse_matrix_csr")
    assert example_body(MLmodel({}, input_example=sparse), tmp_path) is None


@pytest.mark.parametrize(
    ("name", "text"), [("absent.json", ""), ("../up.json", "{}"), ("x.json", "{"), ("x.json", "\xff")]
)
def test_an_example_that_cannot_be_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RequestError, match=r"input example .* cannot be read"):
        example_body(MLmodel({}, input_example=InputExample(name)), tmp_path)


def here(*command: str) -> ServedModel:
    return ServedModel("m", Path("/"), command or (sys.executable,), {})


@pytest.mark.processes
def test_requirements_are_compared_by_the_models_own_python() -> None:
    lines = ("pytest", "pytest>=1", "pytest==0.1", "absent-package", "absent; python_version < '3'", "./here")
    found = installed(here(), RecordedEnvironment("", lines))
    assert found.python == sys.version.split()[0]
    assert found.differences == (
        PackageDifference("pytest==0.1", pytest.__version__),
        PackageDifference("absent-package", None),
    )


@pytest.mark.processes
def test_without_packaging_pins_alone_are_compared(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    found = installed(here(str(tmp_path / "v/bin/python")), RecordedEnvironment("", ("a>1", "b[x] == 2")))
    assert found.differences == (PackageDifference("b[x] == 2", None),)


@pytest.mark.processes
def test_a_python_that_does_not_work_is_named() -> None:
    with pytest.raises(
        ModelError, match="the Python of the environment does not work: /bin/false ended with 1"
    ):
        installed(here("/bin/false"), RecordedEnvironment())


@pytest.mark.parametrize(
    ("expected", "given", "said"),
    [
        ([1.0, {"a": [True]}], [1.0 + 1e-9, {"a": [True]}], ""),
        ([1, 2.5], [1, 2.4], "predictions[1] is 2.4, expected 2.5"),
        ({"a": 1}, {"b": 1}, 'predictions is {"b": 1}, expected {"a": 1}'),
        ([1], [1, 2], "predictions is a list of 2, expected a list of 1"),
        ([{"a": "x"}], [{"a": None}], 'predictions[0].a is null, expected "x"'),
        ([1], [True], "predictions[0] is true, expected 1"),
    ],
)
def test_the_first_difference_is_named(expected: object, given: object, said: str) -> None:
    assert first_difference(expected, given) == said


def test_expected_predictions_are_those_of_predict(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    for text in ('{"predictions": [1]}', "[1]"):
        file.write_text(text)
        assert read_expected(file) == [1]
    file.write_text("[")
    with pytest.raises(RequestError, match=r"p\.json is not JSON"):
        read_expected(file)
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        read_expected(tmp_path / "absent")
