"""`--tracking-buffer`: the command logs without waiting for its server, and the server gets everything once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Run
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from tests.cli.test_run import Runner, wait_for
from tests.journal.proxy import Proxy, proxy_to
from tests.journal.stores import ForeignStore
from tests.support.commands import Completed, run_projrun
from tests.support.projects import python_project

pytestmark = pytest.mark.integration

CLIENT = """\
import http.client, json, os, sys, time, urllib.parse
from pathlib import Path

address = urllib.parse.urlsplit(os.environ["MLFLOW_TRACKING_URI"])
run_id, experiment = os.environ["MLFLOW_RUN_ID"], os.environ["MLFLOW_EXPERIMENT_ID"]
def request(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    kind = {"Content-Type": "application/json"} if body else {}
    connection.request(method, f"{address.path}/{path}", body, {**kind, **headers})
    answer = connection.getresponse()
    return answer.status, answer.read()
def call(path, method="POST", **body):
    status, content = request(method, f"api/2.0/mlflow/{path}", json.dumps(body) if body else None)
    assert status == 200, (status, content)
    return json.loads(content)
def log(step):
    begin = time.monotonic()
    metric = dict(key="loss", value=1 / (step + 1), timestamp=step, step=step)
    call("runs/log-batch", run_id=run_id, metrics=[metric])
    return time.monotonic() - begin
def wait_for(name):
    end = time.monotonic() + 30
    while not Path(name).exists():
        assert time.monotonic() < end, name
        time.sleep(0.02)
"""


class Buffered(Runner):
    """Runs with a buffer, their server and the proxy before it."""

    def __init__(self, folder: Path, store: ForeignStore, proxy: Proxy, path: str) -> None:
        super().__init__(folder)
        self.store = store
        self.proxy = proxy
        self.environ |= {
            "PROJRUN_TRACKING_BUFFER": "1",
            "MLFLOW_TRACKING_URI": proxy.uri + path,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        }

    def project(self, script: str) -> Path:
        """A project whose script has the client above."""
        return python_project(self.folder / "project", CLIENT + script)

    def sync(self) -> Completed:
        """`projrun sync`."""
        return run_projrun("sync", cwd=self.folder, environ=self.environ)

    def recorded(self) -> Mapping[str, Run]:
        """The server's runs by name."""
        return {run.run_name: self.store.get_run(run.run_id) for run in self.store.search_runs(["0"]).runs}

    def steps(self, run: Run) -> list[int]:
        """Of the metric that the script logs."""
        return [metric.step for metric in self.store.get_metric_history(run.run_id, "loss").metrics]


@pytest.fixture
def buffered(tmp_path: Path) -> Iterator[Buffered]:
    store = ForeignStore.at(tmp_path)
    with Endpoint.open(lambda: ForeignStore.at(tmp_path)) as server:
        origin, _, path = server.uri.rpartition("/")
        with proxy_to(origin) as proxy:
            yield Buffered(tmp_path, store, proxy, f"/{path}")
    store.close()


def test_the_run_sees_what_it_wrote_and_the_server_gets_it(buffered: Buffered) -> None:
    script = """
for step in range(3):
    log(step)
call("runs/set-tag", run_id=run_id, key="stage", value="late")
call("runs/log-parameter", run_id=run_id, key="beta", value="2")
run = call(f"runs/get?run_id={run_id}", "GET")["run"]
history = call(f"metrics/get-history?run_id={run_id}&metric_key=loss", "GET")["metrics"]
(found,) = call("runs/search", experiment_ids=[experiment], filter="metrics.loss < 1 and tags.stage = 'late'")["runs"]
print(json.dumps([run["info"], len(history), sorted(one["key"] for one in found["data"]["params"])]))
"""
    done = buffered(buffered.project(script), "--run-name", "outer", "-P", "alpha=1").check()
    information, count, params = json.loads(done.stdout)
    run = buffered.recorded()["outer"]
    assert (information["run_id"], information["experiment_id"], count) == (run.run_id, "0", 3)
    assert information["artifact_uri"] == str(buffered.folder / "artifacts" / "0" / run.run_id / "artifacts")
    assert params == ["alpha", "beta"]
    assert (run.status, run.tag("stage"), buffered.steps(run)) == ("FINISHED", "late", [0, 1, 2])
    assert {param.key: param.value for param in run.params} == {"alpha": "1", "beta": "2"}
    assert list((buffered.home / "active").iterdir()) == []


def test_all_else_passes_through(buffered: Buffered) -> None:
    script = """
tags = [{"key": "mlflow.parentRunId", "value": run_id}]
child = call("runs/create", experiment_id=experiment, start_time=1, run_name="inner", tags=tags)["run"]["info"]
call("runs/log-batch", run_id=child["run_id"], metrics=[dict(key="loss", value=1, timestamp=1, step=8)])
names = [run["info"]["run_name"] for run in call("runs/search", experiment_ids=[experiment])["runs"]]
model = call("logged-models", experiment_id=experiment, name="forest", source_run_id=run_id)["model"]["info"]
metric = dict(key="score", value=0.5, timestamp=1, step=1, model_id=model["model_id"])
call("runs/log-batch", run_id=run_id, metrics=[metric])
place = "api/2.0/mlflow-artifacts/artifacts/" + "0/files/a%20b%23.bin"
content = os.urandom(3_000_000)
stored = request("PUT", place, content)
fetched = request("GET", place)[1] == content
part = request("GET", place, Range="bytes=10-19")
absent = request("GET", "api/2.0/mlflow/experiments/get?experiment_id=77")
refused = request("POST", "api/2.0/mlflow/runs/log-metric", "no json")
print(json.dumps([names, stored[0], fetched, part[0], part[1] == content[10:20], absent[0], refused[0]]))
"""
    done = buffered(buffered.project(script), "--run-name", "outer").check()
    names, *rest = json.loads(done.stdout)
    assert sorted(names) == ["inner", "outer"]
    assert rest == [200, True, 206, True, 404, 400]
    runs = buffered.recorded()
    assert buffered.steps(runs["inner"]) == [8]
    assert runs["inner"].tag("mlflow.parentRunId") == runs["outer"].run_id
    (score,) = buffered.store.get_metric_history(runs["outer"].run_id, "score").metrics
    (model,) = part_of(buffered.store, LoggedModels).search_logged_models(["0"]).models
    assert score.model_id == model.model_id


OUTAGE = """
times = [log(step) for step in range(5)]
Path("away").touch()
wait_for("gone")
times += [log(step) for step in range(5, 60)]
print(json.dumps(sorted(times)))
"""


def test_an_outage_neither_stops_nor_slows_the_command(buffered: Buffered) -> None:
    project = buffered.project(OUTAGE)
    done = during_outage(buffered, project)
    times = json.loads(done.stdout)
    # The slower half may be the machine's, on which other tests run; the server's absence would cost seconds.
    assert times[len(times) // 2] < 0.05
    assert times[-1] < 2.0
    assert "`projrun sync` delivers it later" in done.stderr
    assert buffered.sync().returncode == 5
    buffered.proxy.away = False
    buffered.sync().check()
    (run,) = buffered.recorded().values()
    assert (run.status, buffered.steps(run)) == ("FINISHED", [*range(60)])
    assert list((buffered.home / "active").iterdir()) == []


def during_outage(buffered: Buffered, project: Path) -> Completed:
    """The run of a project that says when the server goes away."""

    def go_away() -> None:
        wait_for(project / "away")
        buffered.proxy.away = True
        (project / "gone").touch()

    watching = threading.Thread(target=go_away)
    watching.start()
    done = buffered(project).check()
    watching.join()
    return done


def test_a_run_that_is_continued_is_not_buffered(buffered: Buffered) -> None:
    first = buffered(buffered.project("log(1)"), "--json").check()
    run_id: Any = json.loads(first.stdout)["run_id"]
    again = buffered(buffered.project("log(2)"), "--run-id", run_id).check()
    assert "not used for a run that is continued" in again.stderr
    (run,) = buffered.recorded().values()
    assert buffered.steps(run) == [1, 2]


def test_the_status_that_the_command_sets_counts(buffered: Buffered) -> None:
    buffered(buffered.project('call("runs/update", run_id=run_id, status="FAILED", end_time=5)')).check()
    (run,) = buffered.recorded().values()
    assert run.status == "FAILED"
