"""`projrun models check`: models that load and predict, and those that do not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import Completed, run_projrun

pytestmark = pytest.mark.integration


@pytest.fixture
def model(light_workers: None, scoring_models: Path, tmp_path: Path) -> Path:
    """A model with an example."""
    return with_example(scoring_models / "sums", tmp_path / "model")


def with_example(model: Path, copy: Path) -> Path:
    """A copy of a model that has an example, as MLflow 2 saved it."""
    folder = Path(shutil.copytree(model, copy))
    (folder / "example.json").write_text(
        json.dumps({"columns": ["a", "b"], "data": [[1.0, 2.0], [2.0, 0.0]]})
    )
    with (folder / "MLmodel").open("a") as file:
        file.write("saved_input_example_info: {artifact_path: example.json, type: dataframe}\n")
    return folder


def checked(model: Path, python: Path, *words: str | Path) -> Completed:
    return run_projrun("models", "check", "-m", model, "--env", python.parent.parent, *words)


def test_a_model_that_is_as_recorded(mlflow3_python: Path, scoring_models: Path, tmp_path: Path) -> None:
    model = with_example(scoring_models / "sklearn", tmp_path / "model")
    (model / "requirements.txt").write_text("mlflow>=3\nscikit-learn\n")
    done = checked(model, mlflow3_python).check()
    lines = done.stdout.splitlines()
    assert lines[0] == f"model        {model}"
    assert "packages     all 2 of requirements.txt are there" in lines
    assert lines[-1] == "example      example.json: 2 predictions"


def test_predictions_are_compared_with_those_of_predict(
    mlflow3_python: Path, model: Path, tmp_path: Path
) -> None:
    (model / "requirements.txt").write_text("mlflow>=3\n")
    body, saved = tmp_path / "body.json", tmp_path / "saved.json"
    body.write_text(json.dumps({"dataframe_split": json.loads((model / "example.json").read_text())}))
    words = ("-m", model, "--env", mlflow3_python.parent.parent, "-i", body, "-o", saved)
    run_projrun("models", "predict", *words).check()
    done = checked(model, mlflow3_python, "--expected", saved).check()
    assert done.stdout.splitlines()[-1] == "expected     equal"
    saved.write_text('{"predictions": [0, 1]}')
    done = checked(model, mlflow3_python, "--expected", saved)
    assert done.returncode == 1
    assert "expected     predictions[0] is " in done.stdout


def test_what_differs_from_the_record_is_listed(mlflow3_python: Path, model: Path) -> None:
    (model / "requirements.txt").write_text("mlflow==1.0\nabsent-package\nscikit-learn>=1\n")
    text = (model / "MLmodel").read_text()
    (model / "MLmodel").write_text(re.sub(r"python_version: [\d.]+", "python_version: 3.6.1", text))
    done = checked(model, mlflow3_python, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document.keys() == {
        "uri", "python", "recorded_python", "differences", "input_example", "predictions", "error",
        "expected_difference", "as_recorded",
    }  # fmt: skip
    assert document["recorded_python"] == "3.6.1"
    first, second = document["differences"]
    assert (first["required"], first["installed"][:2], first["file"]) == (
        "mlflow==1.0",
        "3.",
        "requirements.txt",
    )
    assert second == {"required": "absent-package", "installed": None, "file": "requirements.txt"}
    assert len(document["predictions"]) == 2
    assert (document["error"], document["as_recorded"]) == (None, False)


def test_a_model_that_does_not_load_says_what_differs_first(model: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (model / "requirements.txt").write_text("mlflow==3.1\n")
    done = run_projrun("models", "check", "-m", model, "--env", venv)
    assert done.returncode == 4
    assert "differs      mlflow==3.1 (requirements.txt): nothing is installed" in done.stdout
    assert "example" not in done.stdout
    assert "cannot be loaded" in done.stderr


def test_an_example_that_the_model_does_not_take(mlflow3_python: Path, model: Path) -> None:
    (model / "example.json").write_text('{"columns": ["c"], "data": [[1]]}')
    done = checked(model, mlflow3_python, "--json")
    assert done.returncode == 4
    assert "the model does not predict its input example: " in json.loads(done.stdout)["error"]
    assert "Model is missing inputs" in json.loads(done.stdout)["error"]


def test_a_prediction_that_takes_too_long(mlflow3_python: Path, scoring_models: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(scoring_models / "obedient", tmp_path / "model"))
    (model / "example.json").write_text('{"columns": ["command"], "data": [["sleep 30"]]}')
    with (model / "MLmodel").open("a") as file:
        file.write("saved_input_example_info: {artifact_path: example.json, type: dataframe}\n")
    done = checked(model, mlflow3_python, "--timeout", "0.5")
    assert done.returncode == 4
    assert "does not predict its input example: Request processing time exceeded limit" in done.stderr


@pytest.mark.usefixtures("light_workers")
def test_expected_predictions_need_an_example(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    (tmp_path / "saved.json").write_text("[1]")
    done = checked(scoring_models / "sums", mlflow3_python, "--expected", tmp_path / "saved.json")
    assert done.returncode == 2
    assert "--expected: the model has no input example to predict" in done.stderr
    done = checked(scoring_models / "sums", mlflow3_python)
    assert "example      none: the model was only loaded" in done.stdout
