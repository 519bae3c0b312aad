"""Callbacks of `projrun.log` in real trainings: what their runs have in the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from projrun.tracking.entities import Metric, Run
from projrun.tracking.open import open_store
from projrun.tracking.uri import parse_tracking_uri
from tests.support.commands import run_command
from tests.support.guard import REPOSITORY
from tests.support.program import projrun_server
from tests.support.virtualenvs import MLFLOW3, built_environment

SCRIPT = Path(__file__).with_name("callbacks_script.py")


class Recorded(NamedTuple):
    """A run, and the points of its metrics."""

    run: Run
    history: dict[str, list[Metric]]

    @property
    def params(self) -> dict[str, str]:
        return {param.key: param.value for param in self.run.params}

    def steps(self) -> dict[str, list[int]]:
        return {key: [point.step for point in points] for key, points in self.history.items()}


class Trainings:
    """Trains, and reads what was recorded."""

    def __init__(self, uri: str, folder: Path) -> None:
        self._uri, self._folder = uri, folder
        self.output: list[str] = []

    def train(self, python: Path, library: str) -> dict[str, Recorded]:
        """The runs by name."""
        environ = {
            "MLFLOW_TRACKING_URI": self._uri,
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONWARNINGS": "ignore",
        }
        done = run_command([python, SCRIPT, library], cwd=self._folder, environ=environ, timeout=300).check()
        assert "projrun.log:" not in done.stderr
        self.output = done.stdout.split()
        with closing(open_store(parse_tracking_uri(self._uri), os.environ, warn=print)) as store:
            runs = store.search_runs(["0"]).runs
            return {
                run.run_name: Recorded(
                    run,
                    {
                        each.key: list(store.get_metric_history(run.run_id, each.key).metrics)
                        for each in run.metrics
                    },
                )
                for run in runs
            }


@pytest.fixture
def trainings(tmp_path: Path) -> Iterator[Trainings]:
    (tmp_path / "server").mkdir()
    with projrun_server(tmp_path / "server") as server:
        yield Trainings(server.uri, tmp_path)


def test_scikit_learn(trainings: Trainings, mlflow3_python: Path) -> None:
    found = trainings.train(mlflow3_python, "sklearn")
    boosted, fitted, searched = found["boosted"], found["fitted"], found["searched"]
    assert boosted.params["n_estimators"] == "4"
    assert boosted.steps() == {"train_score": [0, 1, 2, 3]}
    score, best = map(float, trainings.output)
    assert fitted.params["max_iter"] == "3"
    assert fitted.history["training_score"][0].value == score
    points = fitted.history["training_accuracy"]
    assert [point.step for point in points] == [0, 1, 2, 3][: len(points)]
    assert points[-1].value == score
    assert searched.params["best_C"] in ("0.01", "1")
    assert searched.params["cv"] == "2"
    assert {key: [point.value for point in points] for key, points in searched.history.items()} == {
        "best_cv_score": [best]
    }


@pytest.mark.large
def test_keras(trainings: Trainings) -> None:
    python = built_environment("keras", (*MLFLOW3, "keras>=3,<4", "jax"), timeout=3000)
    found = trainings.train(python, "keras")
    assert found["epochs"].params["optimizer_learning_rate"].startswith("0.1")
    assert found["epochs"].params["epochs"] == "3"
    assert found["epochs"].steps() == {"accuracy": [0, 1, 2], "loss": [0, 1, 2]}
    assert found["steps"].steps() == {"accuracy": [2, 4, 6], "loss": [2, 4, 6]}
    assert set(found["tested"].history) == {"validation_accuracy", "validation_loss"}


@pytest.mark.large
def test_lightning(trainings: Trainings) -> None:
    python = built_environment("torch", (*MLFLOW3, "torch>=2", "lightning>=2"), timeout=3000)
    found = trainings.train(python, "lightning")
    expected = {"width": "13", "epochs": "3", "optimizer_name": "SGD", "lr": "0.1"}
    assert expected.items() <= found["epochs"].params.items()
    assert found["epochs"].steps() == {"loss": [0, 1, 2]}
    assert found["steps"].steps() == {"loss": [2, 4, 6]}


@pytest.mark.large
def test_transformers(trainings: Trainings) -> None:
    requirements = (*MLFLOW3, "torch>=2", "transformers>=4.40", "accelerate>=1")
    found = trainings.train(built_environment("transformers", requirements, timeout=3000), "transformers")
    trained = found["trained"]
    assert trained.params["max_steps"] == "4"
    assert trained.steps()["loss"] == [2, 4]
