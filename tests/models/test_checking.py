"""Checking a model: its example as a request, requirements beside what is installed, predictions beside others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.models.checking import (
    PackageDifference,
    first_difference,
    installed,
    read_expected,
)
from projrun.models.recorded import RecordedEnvironment
from projrun.models.serving.process import ModelError
from projrun.models.serving.served import ServedModel


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
