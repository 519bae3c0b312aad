"""The real `mlflow` client and server, with the record of a run kept on this machine first."""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.testing.run_store_base import unique
from projrun.tracking.entities import Run
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.origin import ORIGIN
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.rest.store import RestStore
from tests.support.commands import Completed, run_projrun
from tests.support.faulty import FaultyServer, faulty
from tests.support.projects import write_project

pytestmark = pytest.mark.integration

STEPS = 40
BUFFERED = f"""
import json, os, time
from pathlib import Path
import mlflow
with mlflow.start_run() as run:
    mlflow.log_param("alpha", 1)
    mlflow.log_metric("loss", 9.0, step=0)
    mlflow.log_text("hello", "notes/hello.txt")
    Path("away").touch()
    while not Path("gone").exists():
        time.sleep(0.02)
    times = []
    for step in range(1, {STEPS}):
        begin = time.monotonic()
        mlflow.log_metric("loss", 1 / step, step=step)
        times.append(time.monotonic() - begin)
    mlflow.set_tag("stage", "late")
    mlflow.log_params({{"beta": 2}})
client = mlflow.MlflowClient()
run = client.get_run(run.info.run_id)
count = len(client.get_metric_history(run.info.run_id, "loss"))
print(json.dumps([sorted(times), count, run.data.params, run.data.tags["stage"], run.info.status]))
"""
OFFLINE = """
import os
import mlflow, mlflow.pyfunc
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input
with mlflow.start_run() as run:
    mlflow.log_metric("loss", 1.0)
    mlflow.log_text("hello", "notes/hello.txt")
    model = mlflow.pyfunc.log_model(name="model", python_model=Model(), registered_model_name="{NAME}")
    mlflow.set_tag("best", model.model_uri)
    with mlflow.start_run(nested=True, run_name="inner"):
        mlflow.log_metrics({"a": 1, "b": 2}, step=3)
"""


class Bench:
    """A project whose script has the real client, and a real server behind a proxy that fails."""

    def __init__(self, folder: Path, python: Path, server: FaultyServer, real: str) -> None:
        self.folder = folder
        self.python = python
        self.server = server
        self.real = real
        self.experiment = unique("journal")
        self.environ = {
            "PROJRUN_HOME": str(folder / "home"),
            "PROJRUN_ENV_MANAGER": "local",
            "PROJRUN_EXPERIMENT_NAME": self.experiment,
            "MLFLOW_TRACKING_URI": server.uri,
            "PROJRUN_END_TIMEOUT": "8",
        }

    def run(self, script: str, *words: str, until: Callable[[Path], object] | None = None) -> Completed:
        """Run the script to its end; `until` is called beside it with the project's folder."""
        command = f"{shlex.quote(str(self.python))} script.py"
        mlproject = json.dumps({"name": "demo", "entry_points": {"main": {"command": command}}})
        project = write_project(self.folder / "project", mlproject, script_py=script)
        beside = threading.Thread(target=until or (lambda folder: None), args=[project])
        beside.start()
        done = run_projrun("run", project, *words, cwd=self.folder, environ=self.environ, timeout=240)
        beside.join()
        return done.check()

    def sync(self) -> Completed:
        """`projrun sync`."""
        return run_projrun("sync", cwd=self.folder, environ=self.environ)

    def recorded(self, store: RestStore) -> dict[str, Run]:
        """The server's runs by name."""
        experiment = store.get_experiment_by_name(self.experiment)
        found = store.search_runs([experiment.experiment_id]).runs if experiment else ()
        return {run.run_name: store.get_run(run.run_id) for run in found}


@pytest.fixture
def bench(tmp_path: Path, mlflow3_python: Path, mlflow3_server: str) -> Iterator[Bench]:
    with faulty(mlflow3_server) as server:
        yield Bench(tmp_path, mlflow3_python, server, mlflow3_server)


@pytest.fixture
def store(mlflow3_server: str) -> Iterator[RestStore]:
    with closing(RestStore(mlflow3_server, {})) as store:
        yield store


@pytest.mark.parametrize("fault", ["down", pytest.param("frozen", marks=pytest.mark.large)])
def test_the_client_does_not_notice_an_outage(bench: Bench, store: RestStore, fault: str) -> None:
    def go_away(project: Path) -> None:
        end = time.monotonic() + 120
        while not (project / "away").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        bench.server.fault = fault
        (project / "gone").touch()

    done = bench.run(BUFFERED, "--run-name", "outer", "--tracking-buffer", until=go_away)
    times, count, params, stage, status = json.loads(done.stdout)
    # The slower half may be the machine's, on which others work too; the server's absence would cost seconds.
    assert times[len(times) // 2] < 0.05
    assert times[-1] < 2.0
    assert (count, params, stage, status) == (STEPS, {"alpha": "1", "beta": "2"}, "late", "FINISHED")
    assert bench.sync().returncode == 5
    bench.server.recover()
    bench.sync().check()
    run = bench.recorded(store)["outer"]
    assert (run.status, run.tag("stage")) == ("FINISHED", "late")
    assert {param.key: param.value for param in run.params} == {"alpha": "1", "beta": "2"}
    history = store.get_metric_history(run.run_id, "loss").metrics
    assert sorted(metric.step for metric in history) == [*range(STEPS)]
    paths = [
        file.path for folder in ("logs", "notes") for file in store.artifacts(run.artifact_uri).list(folder)
    ]
    assert paths == ["logs/output.log", "notes/hello.txt"]


def test_a_run_without_the_server_is_there_after_one_sync(bench: Bench, store: RestStore) -> None:
    bench.server.fault = "down"
    document: dict[str, Any] = json.loads(
        bench.run(
            OFFLINE.replace("{NAME}", bench.experiment), "--run-name", "outer", "--offline-tracking", "--json"
        ).stdout
    )
    bench.server.recover()
    bench.sync().check()
    runs = bench.recorded(store)
    outer, inner = runs["outer"], runs["inner"]
    assert (outer.status, inner.status, outer.tag(ORIGIN)) == ("FINISHED", "FINISHED", document["run_id"])
    assert inner.tag("mlflow.parentRunId") == outer.run_id
    assert {metric.key for metric in inner.metrics} == {"a", "b"}
    (model,) = part_of(store, LoggedModels).search_logged_models([outer.experiment_id]).models
    assert (model.source_run_id, model.status) == (outer.run_id, "LOGGED_MODEL_READY")
    assert outer.tag("best") == f"models:/{model.model_id}"
    assert [output.model_id for output in outer.model_outputs] == [model.model_id]
    assert "MLmodel" in [file.path for file in store.artifacts(model.artifact_uri).list()]
    version = part_of(store, ModelRegistry).get_model_version(bench.experiment, "1")
    assert (version.source, version.run_id) == (f"models:/{model.model_id}", outer.run_id)
    shown = run_projrun("runs", "show", document["run_id"], "--json", environ=bench.environ).check()
    assert json.loads(shown.stdout)["run_id"] == outer.run_id
