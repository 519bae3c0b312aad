"""MLflow's own page beside our API, in Chromium: it lists everything, and only requests that are left out fail."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.commands import require_tool
from tests.support.program import projrun_server
from tests.support.virtualenvs import built_environment

pytestmark = pytest.mark.integration

_PLAYWRIGHT = ("playwright>=1.45,<2",)
_SCRIPT = Path(__file__).with_name("page_script.py")

LEFT_OUT = {
    r"GET 404 .*/mlflow/users/current$": "the page asks whether there are users; without them MLflow answers 404, too",
    r"GET 404 .*/mlflow/assistant/(config|providers)$": "MLflow's assistant is not served",
}
"""Requests that may fail, as patterns, with the reason."""


class Api:
    """The server's REST API."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def post(self, route: str, **message: Any) -> Any:
        """A call."""
        return self._send("POST", f"/api/2.0/mlflow/{route}", json.dumps(message).encode())

    def put(self, path: str, content: bytes) -> None:
        """A file of those that the server keeps."""
        self._send("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", content)

    def _send(self, method: str, path: str, body: bytes) -> Any:
        request = Request(self.uri + path, body, {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Api]:
    with projrun_server(tmp_path) as program:
        yield Api(program.uri)


def fill(api: Api) -> tuple[str, str, str]:
    """Runs with metrics and artifacts, a logged and a registered model; the ids of experiment, run and model."""
    experiment = api.post("experiments/create", name="fruit")["experiment_id"]
    for name in ("apple-run", "pear-run"):
        info = api.post("runs/create", experiment_id=experiment, run_name=name, start_time=1_700_000_000_000)
        run = info["run"]["info"]["run_id"]
        points = [
            {"key": "ripeness", "value": step / 7, "timestamp": 1_700_000_000_000 + step, "step": step}
            for step in range(20)
        ]
        params = [{"key": "sugar", "value": "sweet-value"}]
        api.post(
            "runs/log-batch", run_id=run, metrics=points, params=params, tags=[{"key": "t", "value": "v"}]
        )
    api.put(f"{experiment}/{run}/artifacts/notes/readme.md", b"# text of the readme")
    api.put(f"{experiment}/{run}/artifacts/MLmodel", b"flavors: {}\n")
    model = api.post("logged-models", experiment_id=experiment, name="basket", source_run_id=run)
    model_id = model["model"]["info"]["model_id"]
    api.put(f"{experiment}/models/{model_id}/artifacts/MLmodel", b"flavors: {}\n")
    api.post("runs/outputs", run_id=run, models=[{"model_id": model_id, "step": 0}])
    api.post("registered-models/create", name="orchard", description="all the trees")
    source = f"mlflow-artifacts:/{experiment}/{run}/artifacts"
    api.post("model-versions/create", name="orchard", source=source, run_id=run, description="first harvest")
    return experiment, run, model_id


def test_page_shows_everything(server: Api, mlflow3_python: Path) -> None:
    require_tool("chromium")
    experiment, run, model = fill(server)
    build = next(mlflow3_python.parent.parent.glob("lib/python3.*/site-packages/mlflow/server/js/build"))
    places: list[Any] = [
        ["/experiments", ["fruit", "Default"], []],
        [f"/experiments/{experiment}/runs", ["apple-run", "pear-run"], []],
        [f"/experiments/{experiment}/runs/{run}", ["pear-run", "sugar", "sweet-value", "ripeness"], []],
        [f"/experiments/{experiment}/runs/{run}/model-metrics", ["ripeness", "css:.js-plotly-plot"], []],
        [f"/experiments/{experiment}/runs/{run}/artifacts", ["text of the readme"], ["notes", "readme.md"]],
        [f"/experiments/{experiment}/models", ["basket"], []],
        [f"/experiments/{experiment}/models/{model}", ["basket"], []],
        ["/models", ["orchard"], []],
        ["/models/orchard", ["all the trees", "Version 1"], []],
        ["/models/orchard/versions/1", ["first harvest"], []],
    ]
    found = _browse(server.uri, build, places)
    missing = {path: place["missing"] for path, place in found["places"].items() if place["missing"]}
    assert missing == {}, json.dumps(found, indent=1)[:20_000]
    assert _unexpected(found["failed"]) == []
    assert found["errors"] == []


def _browse(uri: str, build: Path, places: list[Any]) -> Any:
    python = built_environment("playwright", _PLAYWRIGHT)
    done = subprocess.run(
        [str(python), str(_SCRIPT), uri, str(build)],
        input=json.dumps(places), capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def _unexpected(failed: list[str]) -> list[str]:
    return [each for each in failed if not any(re.search(pattern, each) for pattern in LEFT_OUT)]
