"""`execute` and the repetition of a run, without the command line: plans in, results and records out."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from projrun.environments.protocol import (
    EnvironmentRequest,
    PreparedEnvironment,
    Progress,
    ResolvedEnvironment,
)
from projrun.errors import EnvironmentBuildError, RequestError, TrackingError
from projrun.execution.supervision.signals import SignalRelay
from projrun.project.binding import GivenValue
from projrun.reporting import Meter
from projrun.running import session
from projrun.running.plan import Plan, make_plan
from projrun.running.request import RunRequest, context_of
from projrun.running.rerun.planning import compare_environments, plan_repetition
from projrun.running.rerun.repetition import Order, repetition
from projrun.running.runner import Result, execute
from projrun.running.session import Options
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import Run
from projrun.tracking.runs import Deadline
from projrun.tracking.sql.store import SqlStore
from projrun_backends.environments.local import LocalEnvironment
from tests.support.projects import write_project

MLPROJECT = """
name: direct
entry_points:
  main:
    parameters:
      word: {type: string, default: plain}
      token: {type: string, secret: true, required: false}
    command: "echo {word}; true {token}; exit $CODE"
"""


class Heard:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.infos: list[str] = []
        self.warnings: list[str] = []

    def activity(self, text: str) -> AbstractContextManager[Meter | None]:
        return nullcontext()

    def section(self, title: str, log: Path | None = None) -> AbstractContextManager[None]:
        return nullcontext()

    def progress(self, text: str) -> None:
        pass

    def info(self, text: str) -> None:
        self.infos.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


class Workbench:
    """A project and a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.project = write_project(folder / "project", MLPROJECT)
        self.home = folder / "home"
        self.environ = {**os.environ, "PROJRUN_HOME": str(self.home), "PROJRUN_ENV_MANAGER": "local"}
        self.heard = Heard()

    def request(self, **parameters: str) -> RunRequest:
        given = {name: GivenValue(value, "api") for name, value in parameters.items()}
        return RunRequest(str(self.project), self.project, parameters=given)

    def plan(self, code: int = 0, **parameters: str) -> Plan:
        request = self.request(**parameters)
        return make_plan(request, context_of(request, {**self.environ, "CODE": str(code)}))

    def execute(self, plan: Plan) -> Result:
        return execute(plan, self.heard, Options(forward_stdout_to_stderr=True))

    def runs(self) -> tuple[Run, ...]:
        store = SqlStore.open(self.home / "projrun.db")
        try:
            return store.search_runs(["0"]).runs
        finally:
            store.close()

    def order(self, run: Run, **parameters: str) -> Order:
        request = self.request(**parameters)
        return Order(run.run_id[:12], request, context_of(request, {**self.environ, "CODE": "0"}))


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def log_of(result: Result) -> str:
    assert result.artifact_folder is not None
    return (result.artifact_folder / "logs" / "output.log").read_text()


def test_a_plan_writes_nothing_and_a_run_is_recorded(bench: Workbench) -> None:
    plan = bench.plan(word="two words")
    assert not (bench.home / "projrun.db").exists()
    result = bench.execute(plan)
    assert (result.outcome.status, result.outcome.exit_code) == ("FINISHED", 0)
    assert log_of(result) == "two words\n"
    assert result.kept_log is None
    (run,) = bench.runs()
    assert (run.run_id, run.status) == (result.run.run_id, "FINISHED")
    assert {param.key: param.value for param in run.params} == {"word": "two words"}
    assert list((bench.home / "active").iterdir()) == []


def test_bars_are_folded_in_the_artifact(bench: Workbench) -> None:
    result = bench.execute(bench.plan(word="10%\r 50%\r100%"))
    assert log_of(result) == "100%\n"
    assert list((bench.home / "active").iterdir()) == []


def test_the_log_is_there_while_a_long_command_runs(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_LONG", 0.1)
    log = f"{bench.home}/artifacts/0/$MLFLOW_RUN_ID/artifacts/logs/output.log"
    lines = f"echo early; until cat {log} 2>/dev/null; do sleep 0.05; done; echo late"
    write_project(bench.project, f"entry_points: {{main: {{command: '{lines}'}}}}")
    result = bench.execute(bench.plan())
    assert log_of(result).split() == ["early", "early", "late"]
    assert list((bench.home / "active").iterdir()) == []


def test_lines_of_the_log_have_their_time_and_what_is_shown_has_none(
    bench: Workbench, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.environ["PROJRUN_TIMESTAMPS"] = "1"
    log = log_of(bench.execute(bench.plan(word="10%\r100%")))
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 100%\n", log)
    assert capfd.readouterr().err == "10%\r100%\n"


def test_system_metrics_are_projruns_and_not_again_the_clients(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_LONG", 0.05)
    bench.environ["MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"] = "true"
    lines = "echo $MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING $PROJRUN_SYSTEM_METRICS; sleep 1.5"
    write_project(bench.project, f"entry_points: {{main: {{command: '{lines}'}}}}")
    assert log_of(bench.execute(bench.plan())) == "false 1\n"
    (run,) = bench.runs()
    assert "system/cpu_utilization_percentage" in {metric.key for metric in run.metrics}


def test_a_command_that_fails_is_an_outcome(bench: Workbench) -> None:
    result = bench.execute(bench.plan(code=3))
    assert (result.outcome.status, result.outcome.exit_code) == ("FAILED", 3)
    (run,) = bench.runs()
    assert (run.status, run.tag("projrun.exit_code")) == ("FAILED", "3")


def test_a_command_that_takes_too_long_is_recorded_with_its_reason(bench: Workbench) -> None:
    bench.environ |= {"PROJRUN_TIMEOUT": "0.2", "BASH_ENV": str(bench.project / "slow.sh")}
    (bench.project / "slow.sh").write_text("exec sleep 60")
    result = bench.execute(bench.plan())
    assert (result.outcome.status, result.outcome.exit_code) == ("FAILED", 124)
    (run,) = bench.runs()
    tags = ("projrun.exit_code", "projrun.reason", "projrun.timeout", "projrun.limits")
    assert [run.tag(tag) for tag in tags] == ["124", "timed out after 0.2 s", "true", '{"timeout": "0.2"}']
    del bench.environ["PROJRUN_TIMEOUT"]
    with repetition(bench.order(run), bench.heard.warning) as found:
        limits = plan_repetition(found).plan.limits
    assert limits is not None
    assert limits.job.timeout == 0.2


def test_an_environment_that_cannot_be_prepared_ends_the_run(bench: Workbench) -> None:
    class Broken(LocalEnvironment):
        def prepare(
            self,
            request: EnvironmentRequest,
            resolved: ResolvedEnvironment,
            *,
            rebuild: bool,
            progress: Progress,
        ) -> PreparedEnvironment:
            raise EnvironmentBuildError("no room", detail="the tool's last line")

    plan = bench.plan()
    with pytest.raises(EnvironmentBuildError, match="no room"):
        bench.execute(plan._replace(environment=plan.environment._replace(manager=Broken())))
    (run,) = bench.runs()
    assert run.status == "FAILED"
    assert "no room" in (run.tag("projrun.reason") or "")
    assert list((bench.home / "active").iterdir()) == []


def test_a_run_whose_params_are_refused_is_failed(bench: Workbench) -> None:
    plan = bench.plan()
    twice = plan.invocation.parameters * 2
    with pytest.raises(TrackingError, match="word"):
        bench.execute(plan._replace(invocation=plan.invocation._replace(parameters=twice)))
    (run,) = bench.runs()
    assert (run.status, run.tag("projrun.exit_code")) == ("FAILED", "5")
    assert (run.tag("projrun.reason") or "").startswith("the run could not be recorded: Duplicate param")
    assert list((bench.home / "active").iterdir()) == []


def test_a_run_has_its_lease_before_the_store_is_asked_and_its_origin_as_id(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer that fails: there is a lease, and it says where the run was asked for."""
    seen = []

    def create_run(store: SqlStore, experiment_id: str, **given: Any) -> Run:
        (folder,) = (bench.home / "active").iterdir()
        mark = json.loads((folder / "run.json").read_text())
        seen.append((mark["run_id"], mark["experiment_id"], mark["origin_id"], folder.name))
        return create(store, experiment_id, **given)

    create = SqlStore.create_run
    monkeypatch.setattr(SqlStore, "create_run", create_run)
    run = bench.execute(bench.plan()).run
    assert seen == [("", "0", run.run_id, run.run_id)]


def test_a_signal_after_the_end_of_the_command_changes_nothing_of_it(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Endpoint.close

    def close_late(endpoint: Endpoint) -> None:
        close(endpoint)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Endpoint, "close", close_late)
    with SignalRelay() as relay:
        result = execute(bench.plan(code=3), bench.heard, Options(relay, forward_stdout_to_stderr=True))
    assert (result.outcome.status, result.outcome.exit_code) == ("FAILED", 3)
    assert [run.status for run in bench.runs()] == ["FAILED"]


def test_a_signal_that_finds_the_command_already_ended_waits_for_no_server(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the command's end and the time when signals interrupt: nobody else would act on it."""
    detach, begin = SignalRelay.detach, Deadline.begin
    given: list[float] = []

    def detach_late(relay: SignalRelay) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        detach(relay)

    def note(deadline: Deadline, seconds: float) -> None:
        given.append(seconds)
        begin(deadline, seconds)

    monkeypatch.setattr(SignalRelay, "detach", detach_late)
    monkeypatch.setattr(Deadline, "begin", note)
    with SignalRelay() as relay:
        result = execute(bench.plan(code=3), bench.heard, Options(relay, forward_stdout_to_stderr=True))
    assert (result.outcome.status, result.outcome.exit_code) == ("FAILED", 3)
    assert given[-1] < 2


def test_a_run_is_repeated_with_what_was_recorded(bench: Workbench) -> None:
    first = bench.execute(bench.plan(word="recorded")).run
    with repetition(bench.order(first), bench.heard.warning) as found:
        planned = plan_repetition(found)
        assert [one for one in planned.differences if one.serious] == []
        result = bench.execute(planned.plan)
        assert not [one for one in compare_environments(found, result, bench.heard.warning) if one.serious]
    assert log_of(result) == "recorded\n"
    assert result.run.run_id != first.run_id
    newest = next(run for run in bench.runs() if run.run_id == result.run.run_id)
    assert newest.tag("projrun.rerun_of") == first.run_id


def test_what_is_given_now_takes_precedence_over_the_record(bench: Workbench) -> None:
    first = bench.execute(bench.plan(word="recorded")).run
    with repetition(bench.order(first, word="new"), bench.heard.warning) as found:
        result = bench.execute(plan_repetition(found).plan)
    assert log_of(result) == "new\n"


def test_a_secret_is_not_in_the_record_and_must_be_given_again(bench: Workbench) -> None:
    first = bench.execute(bench.plan(token="hunter2-of-ada")).run
    assert all("hunter2-of-ada" not in param.value for param in bench.runs()[0].params)
    with (
        pytest.raises(RequestError, match="token"),
        repetition(bench.order(first), bench.heard.warning) as found,
    ):
        plan_repetition(found)


def test_a_run_that_does_not_exist_cannot_be_repeated(bench: Workbench) -> None:
    first = bench.execute(bench.plan()).run
    unknown = bench.order(first)._replace(run_id="f" * 12 if first.run_id[0] != "f" else "0" * 12)
    with pytest.raises(RequestError), repetition(unknown, bench.heard.warning):
        pass


CLIENT = """
import json, os, sys
from http.client import HTTPConnection
host, _, secret = os.environ["MLFLOW_TRACKING_URI"].partition("//")[2].partition("/")

def post(path, **message):
    connection = HTTPConnection(host)
    kind = {"Content-Type": "application/json"}
    connection.request("POST", f"/{secret}/api/2.0/mlflow/{path}", json.dumps(message), kind)
    return json.loads(connection.getresponse().read())

left, ended = [
    post("runs/create", experiment_id="0", run_name=name)["run"]["info"]["run_id"] for name in ("left", "ended")
]
post("runs/update", run_id=ended, status="FAILED")
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("code", "status", "reason"), [(0, "FINISHED", "FINISHED"), (3, "FAILED", "FAILED: exit code 3")]
)
def test_runs_that_the_command_left_running_end_with_it(
    bench: Workbench, code: int, status: str, reason: str
) -> None:
    (bench.project / "client.py").write_text(CLIENT)
    command = f"'{sys.executable} -S client.py {code}'"
    (bench.project / "MLproject").write_text(f"entry_points: {{main: {{command: {command}}}}}\n")
    result = bench.execute(bench.plan())
    runs = {run.run_name: run for run in bench.runs()}
    assert runs["left"].status == status
    assert runs["left"].end_time is not None
    reason = f"left RUNNING by the command of run {result.run.run_id}, which is {reason}"
    assert runs["left"].tag("projrun.reason") == reason
    assert (runs["ended"].status, runs["ended"].tag("projrun.reason")) == ("FAILED", None)
    assert list((bench.home / "active").iterdir()) == []
