"""`projrun.log` beside MLflow's client: the same script, word for word, on MLflow's server and on projrun's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from projrun.running.child import with_log
from tests.support.commands import projrun_argv, run_command
from tests.support.guard import REPOSITORY
from tests.support.program import projrun_server

SCRIPT = """
import numpy as np, pandas
from matplotlib import pyplot
from mlflow.data import from_numpy
from PIL import Image

mlflow.set_experiment("EXPERIMENT")
mlflow.set_experiment_tag("data", "v1")
with mlflow.start_run(run_name="outer", description="Read **this**", tags={"team": "red"}) as outer:
    assert mlflow.active_run().info.run_id == outer.info.run_id
    mlflow.log_param("alpha", 0.5)
    mlflow.log_params({"model": "rf", "depth": None, "wide": "ü" * 300})
    mlflow.log_metrics({f"many{number}": number for number in range(1100)}, step=1)
    for step in range(150):
        mlflow.log_metric("loss", 1 / (step + 1), step=step, timestamp=1_700_000_000_000 + step)
    mlflow.log_metrics({"nan": float("nan"), "inf": float("inf"), "less": -float("inf")}, step=3)
    mlflow.set_tags({"a": 1, "b": True})
    mlflow.set_tag("gone", "soon")
    mlflow.delete_tag("gone")
    mlflow.log_text("hello", "notes/today.txt")
    for name in ("data.json", "inner/data.yaml", "data.txt"):
        mlflow.log_dict({"b": [1, 2], "a": {"x": None, "ü": 1.5}}, name)
    mlflow.log_table({"x": [1, float("nan")], "y": ["a", "b"], "z": 5}, "table.json")
    mlflow.log_table({"x": 7, "w": "new"}, "table.json")
    frame = pandas.DataFrame({"when": pandas.to_datetime(["2026-01-02", None]), "n": [np.nan, 2], "s": ["a", "ü/"]})
    mlflow.log_table(frame, "tables/frame.json")
    mlflow.log_table({"name": ["a"], "picture": [Image.new("RGB", (300, 100), "red")]}, "pictures.json")
    mlflow.log_image(np.linspace(0, 1, 600).reshape(20, 30), "gray.png")
    mlflow.log_image(np.arange(600, dtype="uint8").reshape(10, 20, 3), "colour.png")
    mlflow.log_image(np.ones((4, 4, 1), dtype=bool), "mask.png")
    mlflow.log_image(Image.new("RGB", (300, 100), "blue"), key="dogs/small", step=3, timestamp=1_700_000_000_000)
    figure, axes = pyplot.subplots()
    axes.plot([1, 2])
    mlflow.log_figure(figure, "plots/line.png", save_kwargs={"dpi": 50})
    mlflow.log_input(from_numpy(np.arange(3), source="data.csv"), context="training", tags={"k": "v"})
    os.makedirs("folder/inner", exist_ok=True)
    open("folder/inner/file.bin", "wb").write(bytes(1000))
    mlflow.log_artifact("folder/inner/file.bin", "single")
    mlflow.log_artifact("folder", "whole")
    mlflow.log_artifacts("folder", "content")
    with mlflow.start_run(nested=True, run_name="inner"):
        mlflow.log_metric("depth", 2)
with mlflow.start_run(run_id=outer.info.run_id, run_name="outer", tags={"again": 1}):
    mlflow.log_metric("later", 1)
    mlflow.log_table({"x": [8]}, "table.json")
found = mlflow.search_runs(
    experiment_names=["EXPERIMENT"], filter_string="params.alpha = '0.5'", order_by=["metrics.later DESC"],
    max_results=5,
)
print(sorted(name for name in found.columns if not name.startswith("tags.")))
print(len(found), found.loc[0, "metrics.later"])
none = mlflow.search_runs(experiment_names=["EXPERIMENT"], filter_string="metrics.later > 5")
print(none.columns.tolist(), none.empty)
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
        "files": {_name(path): _content(server, outer, path) for path in _files(server, outer, "")},
        "inputs": _asked(server, "runs/get", "GET", run_id=outer)["run"]["inputs"]["dataset_inputs"],
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


def _files(server: str, run_id: str, path: str) -> Iterator[str]:
    for each in _asked(server, "artifacts/list", "GET", run_id=run_id, path=path).get("files", ()):
        if each["is_dir"]:
            yield from _files(server, run_id, each["path"])
        else:
            yield each["path"]


def _content(server: str, run_id: str, path: str) -> Any:
    address = f"{server}/get-artifact?{urllib.parse.urlencode({'run_id': run_id, 'path': path})}"
    with urllib.request.urlopen(address) as answer:
        content: bytes = answer.read()
    if path.endswith("table.json") or path in ("tables/frame.json", "pictures.json"):
        return json.loads(_name(content.decode()))
    return content


def _name(text: str) -> str:
    """With a word for what is made up."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "UUID", text)


def _repository(folder: Path) -> None:
    """A git repository, as most scripts are in one."""
    git(folder, "init", "-q", "-b", "trial")
    (folder / "README").write_text("wine")
    git(folder, "add", "README")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-q", "-m", "Begin")
    git(folder, "remote", "add", "origin", "https://somebody:word@git.example/wine.git")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


def _run(python: Path | str, client: str, experiment: str, server: str, folder: Path) -> str:
    (folder / "train.py").write_text(
        f"import os\nimport {client} as mlflow\n{SCRIPT.replace('EXPERIMENT', experiment)}"
    )
    environ = {
        **os.environ,
        "MPLBACKEND": "agg",
        "MLFLOW_RUN_CONTEXT": '{"cluster": "blue", "team": "none"}',
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
    work = tmp_path / "work"
    work.mkdir()
    _repository(work)
    theirs = _run(mlflow3_python, "mlflow", "by mlflow", server, work)
    ours = _run(mlflow3_python, "projrun.log", "by projrun", server, work)
    assert ours == theirs
    assert _recorded(server, "by projrun") == _recorded(server, "by mlflow")


def test_the_examples_of_mlflows_documentation_print_the_same(
    mlflow3_server: str, tmp_path: Path, mlflow3_python: Path
) -> None:
    """Word for word but for the client's name: at MLflow's server, and in projrun's own store."""
    theirs = _examples(mlflow3_python, "mlflow", mlflow3_server, tmp_path)
    functions = {
        "set_experiment",
        "create_experiment",
        "set_experiment_tag",
        "search_runs",
        "log_param",
        "log_table",
    }
    assert functions <= {function for function, _ in theirs}
    assert _examples(mlflow3_python, "projrun.log", mlflow3_server, tmp_path) == theirs
    assert _examples(mlflow3_python, "projrun.log", "", tmp_path) == theirs


def _examples(python: Path, client: str, uri: str, folder: Path) -> list[list[str]]:
    """What each function's examples print. The embedded store's projrun is the one on PATH, as in a run."""
    path = os.pathsep.join([os.environ["PATH"], str(Path(projrun_argv()[0]).parent)])
    environ = {
        **with_log({**os.environ, "PYTHONPATH": ""}),
        "PATH": path,
        "PROJRUN_HOME": str(folder / "home"),
        "MPLBACKEND": "agg",
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
    script = Path(__file__).with_name("snippets_script.py")
    done = run_command([python, script, client], cwd=folder, environ=environ, timeout=300).check()
    said: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_script_in_a_built_environment_records_in_its_run(tmp_path: Path) -> None:
    """Which has neither projrun nor mlflow."""
    (tmp_path / "MLproject").write_text(
        "python_env: python_env.yaml\nentry_points: {main: {command: python train.py}}\n"
    )
    (tmp_path / "python_env.yaml").write_text("dependencies: []\n")
    (tmp_path / "train.py").write_text(
        "import sys, projrun.log as mlflow\n"
        "with mlflow.start_run() as run:\n    mlflow.log_text(sys.prefix, 'prefix.txt')\n"
    )
    argv = [*projrun_argv(), "run", ".", "--env-manager=uv", "--json"]
    environ = {"PROJRUN_HOME": str(tmp_path / "home"), "MLFLOW_TRACKING_URI": ""}
    done = run_command(argv, cwd=tmp_path, environ=environ, timeout=300).check()
    said = json.loads(done.stdout)
    prefix = (Path(said["artifact_folder"]) / "prefix.txt").read_text()
    assert (said["status"], Path(prefix).is_relative_to(tmp_path / "home")) == ("FINISHED", True)
