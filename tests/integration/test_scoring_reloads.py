"""SIGHUP while the server is busy: with another reload, or with rows that were asked for together."""

from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.scoring import Scoring, scoring_server, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("light_workers")]

CODE = """
import pathlib, time

HERE = pathlib.Path({folder!r})

def passed(gate):
    (HERE / (gate + ".reached")).touch()
    while not (HERE / gate).exists():
        time.sleep(0.01)

class Model:
    def __init__(self):
        self.factor = int((HERE / "factor").read_text())

    def predict(self, data):
        if len(data) > 1:
            passed("together")
        elif data[0][0] == 0:
            passed("first")
        return [float(row[0] * self.factor) for row in data]

def _load_pyfunc(path):
    model = Model()
    passed(f"load-{{model.factor}}")
    return model
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Multiplies by the number that `factor` had when it was loaded, and waits where files are missing."""
    folder = tmp_path / "gated"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "gated_model.py").write_text(CODE.format(folder=str(tmp_path)))
    function = "{loader_module: gated_model, code: code}"
    (folder / "MLmodel").write_text(f"flavors: {{python_function: {function}}}\nmlflow_version: 3.1.0\n")
    (tmp_path / "factor").write_text("1")
    (tmp_path / "load-1").touch()
    return folder


def predicted(scoring: Scoring, value: float) -> float:
    answer = json.loads(scoring.send(json.dumps({"instances": [[value]]})).body)
    return float(answer["predictions"][0])


def reload(scoring: Scoring) -> None:
    scoring.process.send_signal(signal.SIGHUP)


def test_a_model_that_changes_while_it_is_loaded_is_loaded_once_more(
    mlflow3_python: Path, model: Path, tmp_path: Path
) -> None:
    with scoring_server(mlflow3_python, model, tmp_path / "log") as scoring:
        (tmp_path / "factor").write_text("2")
        reload(scoring)
        wait_until("it is being loaded", (tmp_path / "load-2.reached").exists)
        (tmp_path / "factor").write_text("3")
        (tmp_path / "load-3").touch()
        reload(scoring)
        (tmp_path / "load-2").touch()
        wait_until("the change is served", lambda: predicted(scoring, 1.0) == 3)
        assert scoring.log.read_text().count("reloaded the model") == 2


def test_a_batch_is_not_judged_by_another_version(mlflow3_python: Path, model: Path, tmp_path: Path) -> None:
    for gate in ("load-1", "load-3"):
        (tmp_path / gate).touch()
    with (
        scoring_server(mlflow3_python, model, tmp_path / "log", max_batch=16) as scoring,
        ThreadPoolExecutor(3) as threads,
    ):
        first = threads.submit(predicted, scoring, 0.0)
        wait_until("the worker is busy", (tmp_path / "first.reached").exists)
        rest = [threads.submit(predicted, scoring, value) for value in (1.0, 2.0)]
        wait_until("both wait", lambda: scoring.gauge("requests_waiting") == 2)
        (tmp_path / "first").touch()
        wait_until("they are asked for together", (tmp_path / "together.reached").exists)
        (tmp_path / "factor").write_text("3")
        reload(scoring)
        wait_until("the other version is there", lambda: "reloaded the model" in scoring.log.read_text())
        (tmp_path / "together").touch()
        assert first.result() == 0
        assert [one.result() for one in rest] == [3, 6]
        assert "one by one" not in scoring.log.read_text()
