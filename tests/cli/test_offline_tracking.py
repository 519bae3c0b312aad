"""`--offline-tracking`: no contact to the tracking server until `projrun sync`, which gives it everything."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Run
from projrun.tracking.origin import ORIGIN
from tests.cli.test_run import Runner
from tests.journal.stores import ForeignStore
from tests.support.commands import Completed, run_projrun
from tests.support.projects import python_project
from tests.tracking.loopback import Answer, always, serve

pytestmark = pytest.mark.integration

LOGS = """\
import http.client, json, os, sys, urllib.parse
from pathlib import Path

address = urllib.parse.urlsplit(os.environ["MLFLOW_TRACKING_URI"])
run_id = os.environ["MLFLOW_RUN_ID"]
def call(path, method="POST", **body):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    kind = {"Content-Type": "application/json"}
    connection.request(method, f"{address.path}/api/2.0/mlflow/{path}", json.dumps(body), kind)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    return json.loads(content)
for step in range(5):
    call("runs/log-metric", run_id=run_id, key="loss", value=1 / (step + 1), timestamp=step, step=step)
call("runs/log-parameter", run_id=run_id, key="beta", value="2")
call("runs/set-tag", run_id=run_id, key="mlflow.log-model.history", value='[{"artifact_path": "model"}]')
experiment = os.environ["MLFLOW_EXPERIMENT_ID"]
tags = [{"key": "mlflow.parentRunId", "value": run_id}]
child = call("runs/create", experiment_id=experiment, start_time=1, run_name="inner", tags=tags)["run"]["info"]
call("runs/update", run_id=child["run_id"], status="FINISHED", end_time=2)
run = call(f"runs/get?run_id={run_id}", "GET")["run"]
Path(run["info"]["artifact_uri"], "model").mkdir()
Path(run["info"]["artifact_uri"], "model", "weights").write_bytes(bytes(1000))
print(sorted(param["key"] for param in run["data"]["params"]))
"""


class Offline(Runner):
    """Runs that are offline, and their server's store."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.store = ForeignStore.at(folder)
        self.environ["PROJRUN_OFFLINE_TRACKING"] = "1"

    def towards(self, uri: str) -> None:
        """The server of the runs."""
        self.environ["MLFLOW_TRACKING_URI"] = uri

    def sync(self, *words: str) -> Completed:
        """`projrun sync`."""
        return run_projrun("sync", *words, cwd=self.folder, environ=self.environ)

    def recorded(self) -> Mapping[str, Run]:
        """The server's runs by name."""
        experiments = [found.experiment_id for found in self.store.search_experiments().experiments]
        return {
            run.run_name: self.store.get_run(run.run_id) for run in self.store.search_runs(experiments).runs
        }


@pytest.fixture
def offline(tmp_path: Path) -> Iterator[Offline]:
    offline = Offline(tmp_path)
    yield offline
    offline.store.close()


@pytest.fixture
def server(offline: Offline, tmp_path: Path) -> Iterator[Endpoint]:
    """A server with runs of its own ids."""
    with Endpoint.open(lambda: ForeignStore.at(tmp_path)) as endpoint:
        offline.towards(endpoint.uri)
        yield endpoint


def test_everything_is_there_after_one_sync(offline: Offline, server: Endpoint, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", LOGS, "{alpha: {default: 1}}")
    done = offline(project, "--json", "--run-name", "outer", "--experiment-name", "new").check()
    document: dict[str, Any] = json.loads(done.stdout)
    assert f"projrun sync {document['run_id'][:8]}" in done.stderr
    assert "['alpha', 'beta']" in done.stderr
    assert "projrun models serve" not in done.stderr  # the server does not have the model yet
    assert offline.recorded() == {}
    offline.sync().check()
    runs = offline.recorded()
    outer, inner = runs["outer"], runs["inner"]
    assert outer.run_id != document["run_id"] == outer.tag(ORIGIN)
    assert {param.key: param.value for param in outer.params} == {"alpha": "1", "beta": "2"}
    assert (outer.status, inner.status) == ("FINISHED", "FINISHED")
    assert inner.tag("mlflow.parentRunId") == outer.run_id
    assert [metric.step for metric in offline.store.get_metric_history(outer.run_id, "loss").metrics] == [
        *range(5)
    ]
    assert offline.store.get_experiment(outer.experiment_id).name == "new"
    files = offline.store.artifacts(outer.artifact_uri)
    paths = [file.path for folder in ("logs", "model") for file in files.list(folder)]
    assert paths == ["logs/output.log", "model/weights"]
    assert list((offline.home / "active").iterdir()) == []
    assert "nothing waits" in offline.sync().check().stderr


def test_the_server_hears_nothing_before(offline: Offline, tmp_path: Path) -> None:
    with serve(always(Answer(b"{}"))) as listening:
        offline.towards(listening.uri)
        offline(python_project(tmp_path / "project", LOGS), "--experiment-id", "7").check()
        offline(python_project(tmp_path / "project", "print(1)"), "-P", "x=y").check()
        assert listening.received == []
        assert offline.sync().returncode == 5
        assert len(listening.received) > 0
    assert len(list((offline.home / "active").iterdir())) == 2


def test_an_experiment_is_known_by_its_id(offline: Offline, server: Endpoint, tmp_path: Path) -> None:
    for number in range(3):
        experiment = offline.store.create_experiment(f"number {number}")
    offline(python_project(tmp_path / "project", "print(1)"), "--experiment-id", experiment).check()
    (origin,) = [folder.name for folder in (offline.home / "active").iterdir()]
    offline.sync(origin[:6]).check()
    assert [run.experiment_id for run in offline.recorded().values()] == [experiment]
    offline(python_project(tmp_path / "project", "print(1)"), "--experiment-id", "99").check()
    waits = offline.sync()
    assert waits.returncode == 5
    assert "No Experiment with id=99 exists" in waits.stdout
    offline(python_project(tmp_path / "project", "print(1)"), "--run-name", "after").check()
    assert offline.sync().returncode == 5  # the one that waits does not keep the others
    assert "after" in offline.recorded()


def test_a_run_that_was_killed_is_delivered_as_lost(
    offline: Offline, server: Endpoint, tmp_path: Path
) -> None:
    script = "import time; print('working', flush=True); open('ready', 'w'); time.sleep(60)"
    project = python_project(tmp_path / "project", script)
    process = offline.started(project, script_ready=project / "ready")
    offline.wait_for_output(b"working\n")
    process.send_signal(signal.SIGKILL)
    process.end()
    delivered = offline.sync().check()
    assert "is now recorded as KILLED" in delivered.stderr
    (run,) = offline.recorded().values()
    assert run.status == "KILLED"
    assert (run.tag("projrun.reason") or "").startswith("lost: ")
    folder = offline.store.artifacts(run.artifact_uri).folder
    assert folder is not None
    assert (folder / "logs" / "output.log").read_text() == "working\n"


def test_the_next_run_with_the_server_delivers_it(offline: Offline, server: Endpoint, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "print(1)")
    offline(project, "--run-name", "first").check()
    offline.environ.pop("PROJRUN_OFFLINE_TRACKING")
    offline(project, "--run-name", "second").check()
    assert offline.recorded().keys() == {"first", "second"}


def test_a_run_with_records_that_wait_is_not_continued(
    offline: Offline, server: Endpoint, tmp_path: Path
) -> None:
    project = python_project(tmp_path / "project", "print(1)")
    run_id = json.loads(offline(project, "--json").check().stdout)["run_id"]
    refused = offline(project, "--run-id", run_id)
    assert refused.returncode == 2
    assert "wait for delivery; run `projrun sync`" in refused.stderr
    offline.sync().check()
    (run,) = offline.recorded().values()
    assert run.status == "FINISHED"
