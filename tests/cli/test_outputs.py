"""`outputs:` and `PROJRUN_METRICS`: what is recorded of commands that log nothing, on every way to a store."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Run
from projrun.tracking.sql.store import SqlStore
from tests.cli.test_run import Runner
from tests.journal.proxy import Proxy, proxy_to
from tests.journal.stores import ForeignStore
from tests.support.commands import run_projrun
from tests.support.projects import write_project

SCRIPT = """\
import json, os
for step in range(1500):
    print(f"step {step} loss={1 / (step + 1)},")
print("rmse: 0.25")
with open("metrics.json", "w") as file:
    json.dump({"accuracy": 0.5}, file)
with open("history.csv", "w") as file:
    file.write("epoch,lr\\n0,0.1\\n1,0.01\\n")
os.makedirs("model", exist_ok=True)
with open("model/weights", "w") as file:
    file.write("w" * 1000)
with open(os.environ["PROJRUN_METRICS"], "a") as file:
    file.write('{"told": 7, "step": 3}\\n')
"""
METRICS = r"['step (?P<step>\d+) loss=(?P<loss>\S+)', 'rmse: (?P<rmse>\S+)', metrics.json, history.csv]"
OUTPUTS = f"{{metrics: {METRICS}, artifacts: [model, plot: '*.png']}}"
EXPECTED = {"loss": 1 / 1500, "rmse": 0.25, "accuracy": 0.5, "lr": 0.01, "told": 7.0}


def project(folder: Path, script: str = SCRIPT, outputs: str = OUTPUTS) -> Path:
    command = f'"{shlex.quote(sys.executable)} -S script.py"'
    text = f"entry_points:\n  main:\n    command: {command}\n    outputs: {outputs}\n"
    return write_project(folder / "project", text, script_py=script)


def recorded(store: ForeignStore) -> Run:
    (run,) = store.search_runs(["0"]).runs
    return store.get_run(run.run_id)


def check(store: ForeignStore, files: set[str]) -> None:
    """All of what the script says is in the store, once."""
    run = recorded(store)
    assert {one.key: one.value for one in run.metrics} == EXPECTED
    steps = [one.step for one in store.get_metric_history(run.run_id, "loss").metrics]
    assert sorted(steps) == [*range(1500)]
    assert [one.step for one in store.get_metric_history(run.run_id, "told").metrics] == [3]
    repository = store.artifacts(run.artifact_uri)
    assert {file.path for file in repository.list("model")} == files


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ForeignStore]:
    store = ForeignStore.at(tmp_path)
    yield store
    store.close()


@pytest.fixture
def server(store: ForeignStore, tmp_path: Path) -> Iterator[tuple[Proxy, str]]:
    """A server that a test may take away, and its address."""
    with Endpoint.open(lambda: ForeignStore.at(tmp_path)) as endpoint:
        origin, _, path = endpoint.uri.rpartition("/")
        with proxy_to(origin) as proxy:
            yield proxy, f"{proxy.uri}/{path}"


@pytest.mark.processes
def test_what_a_command_says_is_recorded_in_the_store_of_this_machine(tmp_path: Path) -> None:
    run = Runner(tmp_path)
    done = run(project(tmp_path)).check()
    assert "warning: outputs: the command has written no file that is named '*.png'" in done.stderr
    (document,) = run.runs()
    assert document["metrics"] == EXPECTED
    names = {
        str(path.relative_to(run.home)).rpartition("artifacts/")[2] for path in run.home.rglob("weights")
    }
    assert names == {"model/weights"}
    done = run(project(tmp_path, "pass")).check()  # what lies there is of the run before
    assert "metrics.json was not written by the command" in done.stderr
    assert run.runs()[0]["metrics"] == {}


@pytest.mark.processes
def test_any_run_may_tell_metrics_and_failed_ones_keep_theirs(tmp_path: Path) -> None:
    run = Runner(tmp_path)
    (tmp_path / "told.sh").write_text("""echo '{"key": "told", "value": 2}' >> $PROJRUN_METRICS; exit 3""")
    assert run(".", "-e", "told.sh").returncode == 3
    assert run.runs()[0]["metrics"] == {"told": 2}
    assert list((run.home / "active").iterdir()) == []


@pytest.mark.processes
def test_each_attempt_has_its_output_and_its_points_come_once(tmp_path: Path) -> None:
    script = """\
import os, sys
print("loss=1\\nloss=2", flush=True)
open(os.environ["PROJRUN_METRICS"], "a").write('{"told": %s}\\n' % os.environ["PROJRUN_ATTEMPT"])
sys.exit(os.environ["PROJRUN_ATTEMPT"] == "1")
"""
    run = Runner(tmp_path)
    folder = project(tmp_path, script, r"{metrics: ['loss=(?P<loss>\d)']}")
    run(folder, "--retries", "1", "--retry-delay", "0").check()
    with closing(SqlStore.open(run.home / "projrun.db")) as store:
        (found,) = store.search_runs(["0"]).runs
        loss = store.get_metric_history(found.run_id, "loss").metrics
        told = store.get_metric_history(found.run_id, "told").metrics
    assert [(one.step, one.value) for one in loss] == [(0, 1), (1, 2), (2, 1), (3, 2)]
    assert [(one.step, one.value) for one in told] == [(0, 1), (1, 2)]


@pytest.mark.processes
def test_plan_shows_outputs_and_names_the_place_of_mistakes(tmp_path: Path) -> None:
    environ = Runner(tmp_path).environ
    shown = run_projrun("plan", project(tmp_path), environ=environ).check().stdout
    assert "metrics      history.csv\nartifact     model\nartifact     plot: *.png" in shown
    document = json.loads(run_projrun("plan", tmp_path / "project", "--json", environ=environ).check().stdout)
    assert document["outputs"]["artifacts"] == [
        {"name": "model", "glob": "model"},
        {"name": "plot", "glob": "*.png"},
    ]
    done = run_projrun("plan", project(tmp_path, outputs="{metrics: ['(?P<x>']}"), environ=environ)
    assert done.returncode == 2
    assert "MLproject:4:25: the pattern is not a regular expression" in done.stderr


@pytest.mark.integration
@pytest.mark.parametrize("way", ["", "PROJRUN_TRACKING_BUFFER", "PROJRUN_OFFLINE_TRACKING"])
def test_every_way_to_a_server(
    tmp_path: Path, store: ForeignStore, server: tuple[Proxy, str], way: str
) -> None:
    run = Runner(tmp_path)
    run.environ |= {"MLFLOW_TRACKING_URI": server[1], **({way: "1"} if way else {})}
    run(project(tmp_path)).check()
    if way == "PROJRUN_OFFLINE_TRACKING":
        run_projrun("sync", cwd=tmp_path, environ=run.environ).check()
    check(store, {"model/weights"})


@pytest.mark.integration
def test_a_server_that_goes_away_gets_it_later(
    tmp_path: Path, store: ForeignStore, server: tuple[Proxy, str]
) -> None:
    proxy, uri = server
    run = Runner(tmp_path)
    run.environ |= {"MLFLOW_TRACKING_URI": uri, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    waiting = 'import time\nopen("ready", "w").close()\nwhile not os.path.exists("go"): time.sleep(0.02)\n'
    folder = project(tmp_path, SCRIPT + waiting)
    process = run.started(folder, script_ready=folder / "ready")
    proxy.away = True
    (folder / "go").touch()
    assert b"metrics could not be recorded" in process.end().stderr
    assert recorded(store).metrics == ()
    proxy.away = False
    run_projrun("sync", cwd=tmp_path, environ=run.environ).check()
    check(store, {"model/weights"})
