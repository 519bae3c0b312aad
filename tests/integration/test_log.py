"""`projrun.log` beside MLflow's client: the same script, word for word, on MLflow's server and on projrun's."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.guard import REPOSITORY
from tests.support.program import projrun_server

SCRIPT = """
mlflow.set_experiment("EXPERIMENT")
mlflow.set_experiment_tag("data", "v1")
with mlflow.start_run(run_name="outer", description="Read **this**", tags={"team": "red"}) as outer:
    assert mlflow.active_run().info.run_id == outer.info.run_id
    mlflow.log_param("alpha", 0.5)
    mlflow.log_params({"model": "rf", "depth": None, "wide": "ü" * 300})
    for step in range(1200):
        mlflow.log_metric("loss", 1 / (step + 1), step=step, timestamp=1_700_000_000_000 + step)
    mlflow.log_metrics({"nan": float("nan"), "inf": float("inf"), "less": -float("inf")}, step=3)
    mlflow.set_tags({"a": 1, "b": True})
    mlflow.set_tag("gone", "soon")
    mlflow.delete_tag("gone")
    mlflow.log_text("hello", "notes/today.txt")
    mlflow.log_dict({"a": [1, 2]}, "data.json")
    mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
    os.makedirs("folder/inner", exist_ok=True)
    open("folder/inner/file.bin", "wb").write(bytes(1000))
    mlflow.log_artifact("folder/inner/file.bin", "single")
    mlflow.log_artifact("folder", "whole")
    mlflow.log_artifacts("folder", "content")
    with mlflow.start_run(nested=True, run_name="inner"):
        mlflow.log_metric("depth", 2)
with mlflow.start_run(run_id=outer.info.run_id):
    mlflow.log_metric("later", 1)
found = mlflow.search_runs(
    experiment_names=["EXPERIMENT"], filter_string="params.alpha = '0.5'", order_by=["metrics.later DESC"],
    max_results=5,
)
print(sorted(name for name in found.columns if not name.startswith("tags.")))
print(len(found), found.loc[0, "metrics.later"])
print(mlflow.get_experiment_by_name("EXPERIMENT").name)
"""


@pytest.fixture(params=["mlflow", "projrun"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with _servers(request, tmp_path) as uri:
        yield uri


@contextmanager
def _servers(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "mlflow":
        yield request.getfixturevalue("mlflow3_server")
    else:
        (folder / "server").mkdir()
        with projrun_server(folder / "server") as program:
            yield program.uri


def _asked(server: str, call: str, method: str = "POST", **body: Any) -> Any:
    address = f"{server}/api/2.0/mlflow/{call}"
    data = json.dumps(body).encode() if method == "POST" else None
    if method == "GET":
        address = f"{address}?{urllib.parse.urlencode(body)}"
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def _recorded(server: str, name: str) -> dict[str, Any]:
    """All that there is in an experiment, without ids and times."""
    experiment = _asked(server, "experiments/get-by-name", "GET", experiment_name=name)["experiment"]
    number = experiment["experiment_id"]
    runs = {
        run["info"]["run_name"]: run for run in _asked(server, "runs/search", experiment_ids=[number])["runs"]
    }
    outer = runs["outer"]["info"]["run_id"]
    history = _asked(server, "metrics/get-history", "GET", run_id=outer, metric_key="loss")["metrics"]
    return {
        "tags": {each["key"]: each["value"] for each in experiment["tags"]},
        "history": [(each["value"], each["timestamp"], int(each["step"])) for each in history],
        "files": sorted(_files(server, outer, "")),
        **{name: _values(run, outer) for name, run in runs.items()},
    }


def _values(run: dict[str, Any], outer: str) -> dict[str, Any]:
    data, info = run["data"], run["info"]
    tags = {each["key"]: each["value"].replace(outer, "OUTER") for each in data.get("tags", ())}
    for name in ("projrun.origin.run_id", "mlflow.runColor"):  # by which a run is found again; the page's
        tags.pop(name, None)
    return {
        "status": info["status"],
        "ended": bool(info["end_time"]),
        "params": {each["key"]: each["value"] for each in data.get("params", ())},
        "metrics": {each["key"]: str(each["value"]) for each in data.get("metrics", ())},
        "tags": tags,
    }


def _files(server: str, run_id: str, path: str) -> Iterator[tuple[str, int]]:
    for each in _asked(server, "artifacts/list", "GET", run_id=run_id, path=path).get("files", ()):
        if each["is_dir"]:
            yield from _files(server, run_id, each["path"])
        elif not each["path"].endswith(".json"):  # whose spaces are nothing that counts
            yield each["path"], int(each["file_size"])
        else:
            yield each["path"], 0


def _run(python: Path | str, client: str, experiment: str, server: str, folder: Path) -> str:
    folder.mkdir()
    (folder / "train.py").write_text(
        f"import os\nimport {client} as mlflow\n{SCRIPT.replace('EXPERIMENT', experiment)}"
    )
    environ = {
        **os.environ,
        "MLFLOW_TRACKING_URI": server,
        "PYTHONPATH": str(REPOSITORY),
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
    done = subprocess.run(
        [python, "train.py"],
        cwd=folder,
        env=environ,
        text=True,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.replace(experiment, "EXPERIMENT")


def test_the_same_script_records_the_same(server: str, tmp_path: Path, mlflow3_python: Path) -> None:
    theirs = _run(mlflow3_python, "mlflow", "by mlflow", server, tmp_path / "theirs")
    ours = _run(mlflow3_python, "projrun.log", "by projrun", server, tmp_path / "ours")
    assert ours == theirs
    assert _recorded(server, "by projrun") == _recorded(server, "by mlflow")
