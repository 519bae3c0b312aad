"""Models in the environments that models of MLflow 1 to 3 ask for: each is served as its own MLflow would."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.scoring_corpus import JSON, Request, requests_for
from tests.support.scoring import scoring_server, send, start_scoring
from tests.support.scoring_mlflow import differences, mlflow_serving
from tests.support.virtualenvs import MLFLOW1, built_environment

pytestmark = pytest.mark.integration

# Its server is made with Flask. scikit-learn and pandas are those of Pythons of today.
FLASK = ("mlflow==2.9.2", "scikit-learn>=1.3,<2", "setuptools<70")
# With FastAPI, of which newer ones have no `route`, and which MLflow 2 does not install.
FASTAPI = ("mlflow==2.22.5", "scikit-learn>=1.5,<2", "sqlalchemy<2.1", "fastapi<0.116", "uvicorn")
BOOSTED = """
import sys
import mlflow.xgboost
import pandas as pd
from mlflow.models import infer_signature
from xgboost import XGBRegressor
table = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 0.0, 1.0, 0.0]})
model = XGBRegressor(n_estimators=3).fit(table, [1.0, 2.0, 3.0, 4.0])
mlflow.xgboost.save_model(
    model, sys.argv[1], signature=infer_signature(table, model.predict(table)), pip_requirements=["xgboost"]
)
"""
FIRST = (*MLFLOW1, "pandas<3", "scikit-learn>=1.3,<2")


def saved(python: Path, folder: Path) -> Path:
    """The folder with the models that the MLflow of a Python has saved."""
    script = Path(__file__).with_name("scoring_old_models_script.py")
    subprocess.run([python, script, folder], check=True, capture_output=True)
    return folder


def bodies(model: str) -> Sequence[Request]:
    """Those of the corpus for the one route that is the model's; others are the server's."""
    return [
        request
        for request in requests_for(model)
        if (request.path, request.method) == ("/invocations", "POST")
    ]


@pytest.mark.parametrize(
    ("name", "packages", "model"),
    [
        ("flask", FLASK, "sklearn"),
        ("fastapi", FASTAPI, "every"),
        pytest.param("flask", FLASK, "every", marks=pytest.mark.large),
        pytest.param("fastapi", FASTAPI, "sklearn", marks=pytest.mark.large),
    ],
)
def test_mlflow_2_answers_as_its_own_server(
    name: str, packages: Sequence[str], model: str, tmp_path: Path
) -> None:
    python = built_environment(f"mlflow2-{name}", packages)
    folder = saved(python, tmp_path / "models") / model
    requests = bodies(model)
    with mlflow_serving(python, folder, tmp_path / "mlflow.log") as port:
        theirs = [send(port, *request) for request in requests]
    with scoring_server(python, folder, tmp_path / "log") as ours:
        assert differences(requests, theirs, ours) == []


def test_models_of_xgboost_answer_as_mlflows_server(beside_mlflow3: tuple[str, ...], tmp_path: Path) -> None:
    python = built_environment("mlflow3-xgboost", (*beside_mlflow3, "mlflow>=3.17,<4", "xgboost-cpu>=3,<4"))
    subprocess.run([python, "-c", BOOSTED, tmp_path / "model"], check=True, capture_output=True)
    requests = bodies("sklearn")
    with mlflow_serving(python, tmp_path / "model", tmp_path / "mlflow.log") as port:
        theirs = [send(port, *request) for request in requests]
    assert sum(reply.status == 200 for reply in theirs) > 10
    with scoring_server(python, tmp_path / "model", tmp_path / "log") as ours:
        assert differences(requests, theirs, ours) == []


def test_mlflow_skinny_is_enough(
    mlflow3_python: Path, beside_mlflow3: tuple[str, ...], scoring_models: Path, tmp_path: Path
) -> None:
    folder = scoring_models / "custom"
    requests = bodies("custom")
    with scoring_server(mlflow3_python, folder, tmp_path / "whole.log") as whole:
        theirs = [whole.send(*request) for request in requests]
    skinny = built_environment("skinny-models", (*beside_mlflow3, "mlflow-skinny>=3.17,<4"))
    with scoring_server(skinny, folder, tmp_path / "log") as ours:
        assert differences(requests, theirs, ours) == []


def test_tensors_need_numpy_alone(
    mlflow3_python: Path, beside_mlflow3: tuple[str, ...], scoring_models: Path, tmp_path: Path
) -> None:
    folder = scoring_models / "tensors"
    requests = [
        each for each in bodies("tensors") if "dataframe_" not in str(each.body) and each.kind == JSON
    ]
    with scoring_server(mlflow3_python, folder, tmp_path / "whole.log") as whole:
        theirs = [whole.send(*request) for request in requests]
    numpy = built_environment("numpy-alone", beside_mlflow3[:1])
    with scoring_server(numpy, folder, tmp_path / "log") as ours:
        assert differences(requests, theirs, ours) == []


def test_columns_need_pandas(beside_mlflow3: tuple[str, ...], scoring_models: Path, tmp_path: Path) -> None:
    numpy = built_environment("numpy-alone", beside_mlflow3[:1])
    process = start_scoring(numpy, scoring_models / "every", tmp_path / "log")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    assert output.endswith(
        "cannot be loaded: its environment has no pandas, which requests need: add pandas\n"
    )


@pytest.mark.parametrize("model", ["sklearn", "every"])
def test_models_of_mlflow_1_speak_the_protocol_of_mlflow_2(model: str, tmp_path: Path) -> None:
    python = built_environment("mlflow1-models", FIRST)
    folder = saved(python, tmp_path / "models") / model
    names = (
        ["a", "b"]
        if model == "sklearn"
        else ["boolean", "integer", "long", "float", "double", "string", "binary"]
    )
    cells = [2.0, 1.0] if model == "sklearn" else [True, 1, 2, 1.5, 2.5, "s", "aGk="]
    if model == "every":
        names, cells = [*names, "datetime"], [*cells, "2024-01-02T03:04:05"]
    table = {"columns": names, "data": [cells]}
    with scoring_server(python, folder, tmp_path / "log") as scoring:
        now = scoring.send(json.dumps({"dataframe_split": table}))
        then = scoring.send(json.dumps(table))
        wrong = scoring.send(json.dumps({"dataframe_split": {"columns": ["x"], "data": [[1]]}}))
        version = scoring.send(path="/version", method="GET")
    assert (now.status, then.status, wrong.status) == (200, 200, 400), now
    assert now.body == then.body
    assert ("deprecation" in now.headers, then.headers["deprecation"]) == (False, "true")
    value = now.value
    assert isinstance(value, dict)
    if model == "sklearn":
        assert value["predictions"] == pytest.approx([2.0])
    else:
        assert value["predictions"]["told"]["types"]["integer"] == "int32"
    assert version.body == b"1.30.1"
