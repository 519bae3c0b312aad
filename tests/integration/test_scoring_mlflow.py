"""Ours beside `mlflow models serve`: the same requests get the same answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.scoring_corpus import requests_for
from tests.support.scoring import scoring_server, send
from tests.support.scoring_mlflow import differences, mlflow_serving
from tests.support.virtualenvs import built_environment

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
def without_mlflow(beside_mlflow3: tuple[str, ...]) -> Path:
    """A Python with what models need, and no MLflow."""
    return built_environment("without-mlflow", beside_mlflow3)


MODELS = ("sklearn", "custom", "every", "nested", "mixed", "tensors")
FURTHER = ("plain", "tensor", "pickled", "unnamed", "text", "given")


@pytest.mark.parametrize(
    "model", [*MODELS, *(pytest.param(name, marks=pytest.mark.large) for name in FURTHER)]
)
def test_the_same_requests_get_the_same_answers(
    model: str, mlflow3_python: Path, without_mlflow: Path, scoring_models: Path, tmp_path: Path
) -> None:
    folder = scoring_models / model
    requests = requests_for(model)
    with mlflow_serving(mlflow3_python, folder, tmp_path / "mlflow.log") as port:
        theirs = [send(port, *request) for request in requests]
    for python in (mlflow3_python, without_mlflow)[: 1 if model == "custom" else 2]:
        with scoring_server(python, folder, tmp_path / "log") as ours:
            assert differences(requests, theirs, ours) == []
