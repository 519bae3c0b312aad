"""`projrun models predict`: files and streams, whole and in pieces."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from projrun.models.serving.prediction import CSV, JSON, predict, rows
from projrun.models.serving.served import ServedModel
from tests.support.commands import Completed, projrun_argv, run_projrun

pytestmark = pytest.mark.integration


@pytest.fixture
def model(light_workers: None, mlflow3_python: Path, scoring_models: Path) -> tuple[str | Path, ...]:
    """The words for a model of two columns."""
    return "-m", scoring_models / "sums", "--env", mlflow3_python.parent.parent


def piped(*words: str | Path, text: str) -> Completed:
    done = subprocess.run(
        [*projrun_argv(), "models", "predict", *map(str, words)], input=text, capture_output=True, text=True
    )
    return Completed(done.returncode, done.stdout, done.stderr)


def test_stdin_to_stdout(mlflow3_python: Path, scoring_models: Path) -> None:
    model = ("-m", scoring_models / "sklearn", "--env", mlflow3_python.parent.parent)
    done = piped(
        *model, text='{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}'
    ).check()
    assert len(json.loads(done.stdout)["predictions"]) == 2


@pytest.mark.usefixtures("light_workers")
def test_a_file_in_pieces_is_as_one(mlflow3_python: Path, scoring_models: Path) -> None:
    table = "a,b\n" + "".join(f"{row},{row % 7}\n" for row in range(200))
    served = ServedModel("sums", scoring_models / "sums", (str(mlflow3_python),), dict(os.environ))
    said = []
    for size in (1 << 20, 100):
        out = io.BytesIO()
        predict(served, rows(io.BytesIO(table.encode()), size), CSV, out.write)
        said.append(json.loads(out.getvalue())["predictions"])
    assert said[0] == said[1]
    assert len(said[0]) == 200


def test_an_output_file_is_there_whole_or_not_at_all(model: tuple[str | Path, ...], tmp_path: Path) -> None:
    table, out = tmp_path / "table.csv", tmp_path / "out" / "predictions.json"
    out.parent.mkdir()
    words = ("models", "predict", *model, "-i", table, "-o", out)  # its name says what it is
    table.write_text("a,b\n1,2\n")
    run_projrun(*words).check()
    before = out.read_text()
    table.write_text("a,c\n1,2\n")
    done = run_projrun(*words)
    assert done.returncode == 2
    assert "the model does not take the input: " in done.stderr
    assert "Model is missing inputs ['b']" in done.stderr
    assert [(file.name, file.read_text()) for file in out.parent.iterdir()] == [("predictions.json", before)]


def test_an_input_that_is_not_there(model: tuple[str | Path, ...], tmp_path: Path) -> None:
    done = run_projrun("models", "predict", *model, "-i", tmp_path / "absent")
    assert done.returncode == 2
    assert f"{tmp_path / 'absent'} cannot be read: No such file or directory" in done.stderr


def test_an_error_does_not_repeat_all_of_a_large_input(model: tuple[str | Path, ...], tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_text("a,b\n" + "1,2\n" * 100_000)
    done = run_projrun("models", "predict", *model, "-t", "json", "-i", tmp_path / "large.csv")
    assert done.returncode == 2
    assert "the model does not take the input: Invalid input. " in done.stderr
    assert len(done.stderr) < 2000


def test_a_version_that_yaml_takes_for_a_number(mlflow3_python: Path, tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(
        "class Echo:\n    def predict(self, given):\n        return [1]\ndef _load_pyfunc(path):\n    return Echo()\n"
    )
    function = "{loader_module: echo, code: .}"
    (tmp_path / "MLmodel").write_text(f"flavors: {{python_function: {function}}}\nmlflow_version: 3.1\n")
    served = ServedModel("echo", tmp_path, (str(mlflow3_python),), dict(os.environ))
    out = io.BytesIO()
    predict(served, iter([b'{"inputs": [[1]]}']), JSON, out.write)
    assert out.getvalue() == b'{"predictions": [1]}\n'
