"""`projrun run` as a person uses it: real processes, the embedded store, everything read back."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import Completed, projrun_argv, run_projrun, start_projrun
from tests.support.projects import python_project, write_project
from tests.support.questions import ask_projrun
from tests.support.warm import Started
from tests.tracking.loopback import Answer, always, serve

pytestmark = pytest.mark.processes


class Runner:
    """Runs projrun with a data folder of its own, and reads what was recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.environ = {"PROJRUN_HOME": str(self.home), "PROJRUN_ENV_MANAGER": "local"}

    def __call__(
        self, *arguments: str | Path, environ: Mapping[str, str] | None = None, stdin: str = ""
    ) -> Completed:
        return run_projrun(
            "run",
            *arguments,
            cwd=self.folder,
            environ={**self.environ, **(environ or {})},
            stdin=stdin,
            timeout=60,
        )

    def started(self, *arguments: str | Path, script_ready: Path) -> Started:
        """Start it, and wait until the script has made its file."""
        process = start_projrun("run", *arguments, cwd=self.folder, environ=self.environ)
        wait_for(script_ready)
        return process

    def start(self, *arguments: str | Path, script_ready: Path | None = None) -> subprocess.Popen[str]:
        """The same of the console script."""
        process = subprocess.Popen(
            [*projrun_argv(), "run", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if script_ready is not None:
            wait_for(script_ready)
        return process

    def wait_for_output(self, text: bytes) -> None:
        """Wait until the runner has put this into a log: before, it would be lost with a runner that is killed."""
        end = time.monotonic() + 60
        while not any(text in log.read_bytes() for log in self.home.rglob("*.log")):
            assert time.monotonic() < end, f"{text!r} is in no log"
            time.sleep(0.02)

    def runs(self) -> list[dict[str, Any]]:
        listed = ask_projrun("runs", "list", "--json", environ=self.environ).check()
        found: list[dict[str, Any]] = json.loads(listed.stdout)["runs"]
        return found

    def show(self, run_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(
            ask_projrun("runs", "show", run_id, "--json", environ=self.environ).check().stdout
        )
        return shown

    def only_run(self) -> dict[str, Any]:
        (run,) = self.runs()
        return self.show(run["run_id"])

    def log(self) -> bytes:
        return Path(self.only_run()["artifact_folder"], "logs", "output.log").read_bytes()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def wait_for(file: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"{file} did not appear"
        time.sleep(0.02)


def test_a_run_is_recorded_with_parameters_tags_and_output(runner: Runner, tmp_path: Path) -> None:
    script = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    project = python_project(
        tmp_path / "project", script, "{alpha: {type: float, default: 1e-3}, word: string}"
    )
    done = runner(project, "-P", "word=two words", "--run-name", "first").check()
    assert done.stdout == "out\n"
    run = runner.only_run()
    assert f"results: projrun runs show {run['run_id']}" in done.stderr
    assert (run["run_name"], run["status"], run["experiment_name"]) == ("first", "FINISHED", "Default")
    assert run["params"] == {"alpha": "1e-3", "word": "two words"}
    tags = run["tags"]
    assert tags["mlflow.source.name"] == str(project)
    assert tags["mlflow.source.type"] == "PROJECT"
    assert tags["mlflow.project.entryPoint"] == "main"
    assert tags["mlflow.project.backend"] == tags["mlflow.project.env"] == "local"
    assert "projrun.reason" not in tags
    assert sorted(runner.log().splitlines()) == [b"err", b"out"]


@pytest.mark.parametrize("code", [1, 2, 3, 5, 70, 255])
def test_the_exit_code_is_the_projects_own(runner: Runner, tmp_path: Path, code: int) -> None:
    project = write_project(tmp_path / "project", f"entry_points: {{main: {{command: exit {code}}}}}")
    done = runner(project, "--json")
    assert done.returncode == code
    document = json.loads(done.stdout)
    assert (document["status"], document["exit_code"]) == ("FAILED", code)
    assert "error" not in document
    run = runner.only_run()
    assert run["status"] == "FAILED"
    assert run["tags"]["projrun.exit_code"] == str(code)
    assert run["tags"]["projrun.reason"] == f"exit code {code}"


def test_a_child_that_dies_of_a_signal(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert runner(project).returncode == 128 + signal.SIGKILL
    run = runner.only_run()
    assert run["status"] == "FAILED"
    assert "SIGKILL" in run["tags"]["projrun.reason"]


SAYS_SO_ITSELF = """
import os, socket
host, _, path = os.environ["MLFLOW_TRACKING_URI"].removeprefix("http://").partition("/")
name, _, port = host.partition(":")
body = '{"run_id": "' + os.environ["MLFLOW_RUN_ID"] + '", "status": "%s", "end_time": 5}'
head = [f"POST /{path}/api/2.0/mlflow/runs/update HTTP/1.1", f"Host: {host}", "Connection: close"]
head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
with socket.create_connection((name, int(port))) as connection:  # urllib takes five times as long to import
    connection.sendall("\\r\\n".join([*head, "", body]).encode())
    answer = connection.makefile("rb").read()
assert b" 200 " in answer.splitlines()[0], answer
raise SystemExit(%d)
"""


@pytest.mark.parametrize(
    ("said", "code", "recorded"),
    [
        ("FAILED", 0, "FAILED"),
        ("KILLED", 0, "KILLED"),
        ("FINISHED", 3, "FAILED"),
        ("FINISHED", 0, "FINISHED"),
    ],
)
def test_what_the_script_says_of_itself(
    runner: Runner, tmp_path: Path, said: str, code: int, recorded: str
) -> None:
    project = python_project(tmp_path / "project", SAYS_SO_ITSELF % (said, code))
    done = runner(project, "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (code, recorded)
    assert runner.only_run()["status"] == recorded


def test_json_prints_one_object_on_stdout_and_pins_its_keys(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "print('from the project')")
    done = runner(project, "--json").check()
    assert "from the project" in done.stderr
    assert set(json.loads(done.stdout)) == {
        "run_id",
        "run_name",
        "experiment_id",
        "status",
        "exit_code",
        "reason",
        "start_time",
        "end_time",
        "artifact_uri",
        "artifact_folder",
        "tracking_uri",
        "checkout",
        "log",
        "models",
    }


LOGGING = """
import json, os, urllib.request
def post(path, **body):
    address = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/" + path
    asked = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(asked))
run = os.environ["MLFLOW_RUN_ID"]
post("runs/set-tag", run_id=run, key="mlflow.log-model.history", value=json.dumps([{"artifact_path": "it's old"}]))
made = post("logged-models", experiment_id="0", name="model", source_run_id=run)["model"]["info"]["model_id"]
post("runs/outputs", run_id=run, models=[{"model_id": made, "step": 0}])
"""


def test_the_models_of_a_run_are_told_with_the_line_that_serves_them(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", LOGGING)
    done = runner(project).check()
    run = runner.only_run()
    uris = [f"runs:/{run['run_id']}/{name}" for name in ("it's old", "model")]
    lines = [line for line in done.stderr.splitlines() if line.startswith("projrun: model: ")]
    assert [shlex.split(line.partition("model: ")[2]) for line in lines] == [
        ["projrun", "models", "serve", "-m", uri] for uri in uris
    ]
    assert run["models"] == uris
    elsewhere = tmp_path / "other.db"
    done = runner(project, "--tracking-uri", f"sqlite:///{elsewhere}", "--json").check()
    document = json.loads(done.stdout)
    assert document["models"] == [f"runs:/{document['run_id']}/{name}" for name in ("it's old", "model")]
    assert f"/model --tracking-uri sqlite:///{elsewhere}\n" in done.stderr


def test_quiet_leaves_only_the_projects_output(runner: Runner, tmp_path: Path) -> None:
    done = runner(python_project(tmp_path / "project", "print('x')"), "--quiet").check()
    assert (done.stdout, done.stderr) == ("x\n", "")


def test_stdin_is_passed_through(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "import sys; print(sys.stdin.read().upper())")
    assert runner(project, stdin="typed\n").check().stdout == "TYPED\n\n"


def test_an_experiment_is_made_by_name_and_found_again(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "")
    runner(project, "--experiment-name", "nightly").check()
    runner(project, environ={"MLFLOW_EXPERIMENT_NAME": "nightly"}).check()
    assert {run["experiment_name"] for run in runner.runs()} == {"nightly"}
    experiment_id = runner.runs()[0]["experiment_id"]
    both = {"MLFLOW_EXPERIMENT_NAME": "nightly", "MLFLOW_EXPERIMENT_ID": experiment_id}
    runner(project, environ=both).check()
    assert {run["experiment_name"] for run in runner.runs()} == {"nightly"}
    done = runner(project, environ={**both, "MLFLOW_EXPERIMENT_ID": "0"})
    assert done.returncode == 2
    assert f"contradict each other: 'nightly' has the id {experiment_id}, not 0" in done.stderr


def test_parameters_from_a_file_with_those_of_the_command_line_before_them(
    runner: Runner, tmp_path: Path
) -> None:
    project = python_project(tmp_path / "project", "", "{a: float, b: string}")
    (tmp_path / "params.yaml").write_text("a: 1e-5\nb: from the file\n")
    runner(project, "--params-file", "params.yaml", "-P", "b=typed").check()
    assert runner.only_run()["params"] == {"a": "1e-5", "b": "typed"}


def test_an_env_file_is_under_the_environment(runner: Runner, tmp_path: Path) -> None:
    script = "import os; print(os.environ['FROM_FILE'], os.environ['SET_ALREADY'])"
    project = python_project(tmp_path / "project", script)
    (tmp_path / ".env").write_text(
        "# settings\nFROM_FILE='a b'\nSET_ALREADY=file\nMLFLOW_EXPERIMENT_NAME=dotted\n"
    )
    done = runner(project, "--env-file", ".env", environ={"SET_ALREADY": "caller"}).check()
    assert done.stdout == "a b caller\n"
    assert runner.only_run()["experiment_name"] == "dotted"


def test_passwords_of_addresses_are_masked_in_the_log(runner: Runner, tmp_path: Path) -> None:
    project = python_project(
        tmp_path / "project", "import os, sys; print(sys.argv[1:], os.environ['PIP_INDEX_URL'])"
    )
    where = "https://me:hush-1@host/x?token=hush-2&page=3"
    environ = {"PIP_INDEX_URL": "https://me:hush-3@index/simple"}
    done = runner(project, "-P", f"where={where}", environ=environ).check()
    assert where in done.stdout, "what the command prints is not changed"
    log = runner.log().decode()
    assert "hush" not in log
    assert "https://me:***@host/x?token=***&page=3" in log
    assert "https://me:***@index/simple" in log


def test_a_secret_is_masked_in_the_record_the_log_and_what_is_printed(runner: Runner, tmp_path: Path) -> None:
    script = (
        "import os, sys; print(os.environ['PROJRUN_PARAM_TOKEN']); print(os.environ['MLFLOW_TRACKING_URI'])"
    )
    project = python_project(tmp_path / "project", script, "{token: {type: string, secret: true}}")
    done = runner(project, "-P", "token=hunter2 is it").check()
    endpoint = done.stdout.splitlines()[1]
    assert "hunter2" not in done.stderr
    assert runner.only_run()["params"] == {"token": "***"}
    log = runner.log().decode()
    assert "hunter2" not in log
    assert endpoint.rsplit("/", 1)[1] not in log
    planned = run_projrun("plan", project, "-P", "token=hunter2 is it", environ=runner.environ).check()
    assert "hunter2" not in planned.stdout + planned.stderr


def test_credentials_of_an_address_reach_the_command_and_nothing_else(runner: Runner, tmp_path: Path) -> None:
    address = "https://me:hunter2@host.test/x?token=hunter3&page=4"
    project = python_project(tmp_path / "project", "import sys; print(sys.argv[1])", "{place: uri}")
    mlproject = project / "MLproject"
    mlproject.write_text(mlproject.read_text().replace("script.py", "script.py {place}"))
    done = runner(project, "-P", f"place={address}").check()
    assert done.stdout == f"{address}\n"
    assert "hunter" not in done.stderr
    assert runner.only_run()["params"] == {"place": "https://host.test/x?token=***&page=4"}
    planned = run_projrun("plan", project, "-P", f"place={address}", "--json", environ=runner.environ).check()
    assert "hunter" not in planned.stdout + planned.stderr


def test_a_long_value_reaches_the_command_whole_and_the_record_cut(runner: Runner, tmp_path: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -c 'import sys; print(len(sys.argv[1]))' {{text}}"
    project = write_project(
        tmp_path / "project",
        f"entry_points: {{main: {{parameters: {{text: string}}, command: {json.dumps(command)}}}}}",
    )
    done = runner(project, "-P", f"text={'x' * 7000}").check()
    assert done.stdout == "7000\n"
    assert "warning: parameter text has 7000 characters" in done.stderr
    run = runner.only_run()
    assert run["params"]["text"] == "x" * 6000
    assert run["tags"]["projrun.param.text.truncated"] == "7000"


def test_recording_into_an_existing_run(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "print('output')", "{a: {default: '1'}, b: {default: x}}")
    runner(project).check()
    first = runner.only_run()
    words = ("--run-id", first["run_id"], "--run-name", "again", "-P", "a=1.0", "-P", "b=y", "--json")
    done = runner(project, *words).check()
    run = runner.only_run()
    assert (run["run_id"], run["run_name"], run["status"]) == (first["run_id"], "again", "FINISHED")
    assert run["params"] == first["params"]
    assert run["tags"] == {**first["tags"], "mlflow.runName": "again"}
    assert "warning: parameter b is 'y' now; the record of the run keeps 'x'" in done.stderr
    assert json.loads(done.stdout)["log"] == "logs/output-2.log"


def test_a_nested_run_becomes_a_child_of_the_same_experiment(runner: Runner, tmp_path: Path) -> None:
    inner = python_project(tmp_path / "inner", "print('inner')")
    script = f"import subprocess; subprocess.run({[*projrun_argv(), 'run', str(inner)]!r}, check=True)"
    outer = python_project(tmp_path / "outer", script)
    done = runner(outer, "--experiment-name", "chain").check()
    child, parent = runner.runs()
    assert child["tags"]["mlflow.parentRunId"] == parent["run_id"]
    assert "mlflow.parentRunId" not in parent["tags"]
    assert child["experiment_name"] == parent["experiment_name"] == "chain"
    assert child["status"] == "FINISHED"
    assert f"results: projrun runs show {child['run_id']}" in done.stderr


WAITS = """
import signal, sys, time
from pathlib import Path
def note(signum, frame):
    Path("received").write_text(signal.Signals(signum).name)
    sys.exit(0)
for name in ("SIGINT", "SIGTERM"):
    signal.signal(getattr(signal, name), note)
Path("ready").touch()
for _ in range(1200):  # a signal just before one long sleep would be handled after it
    time.sleep(0.05)
"""


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_is_killed(
    runner: Runner, tmp_path: Path, signum: signal.Signals, code: int
) -> None:
    project = python_project(tmp_path / "project", WAITS)
    process = runner.start(project, script_ready=project / "ready")
    process.send_signal(signum)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert (project / "received").read_text() == signum.name
    run = runner.only_run()
    assert (run["status"], run["tags"]["projrun.reason"]) == ("KILLED", f"interrupted by {signum.name}")
    assert list((runner.home / "active").iterdir()) == []


STUBBORN = """
import os, signal, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b"working\\n")  # in one write: who waits for a part of it finds all of it
Path("ready").write_text(str(os.getpid()))
time.sleep(60)
"""


def test_a_stubborn_child_is_killed_after_the_grace_period(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", STUBBORN)
    process = runner.started(project, "--grace-period", "0.5", script_ready=project / "ready")
    process.send_signal(signal.SIGTERM)
    assert process.end().returncode == 143
    assert runner.only_run()["status"] == "KILLED"


def test_a_runner_that_is_killed_takes_its_run_along_and_the_next_command_says_so(
    runner: Runner, tmp_path: Path
) -> None:
    project = python_project(tmp_path / "project", STUBBORN)
    process = runner.started(project, "--grace-period", "0.2", script_ready=project / "ready")
    child = int((project / "ready").read_text())
    runner.wait_for_output(b"working\n")
    process.send_signal(signal.SIGKILL)
    process.end()
    end = time.monotonic() + 60
    while is_alive(child):
        assert time.monotonic() < end, "the child outlived its runner"
        time.sleep(0.05)
    other = python_project(tmp_path / "other", "")
    done = runner(other).check()
    assert "was lost" in done.stderr
    lost = runner.show(runner.runs()[1]["run_id"])
    assert lost["status"] == "KILLED"
    assert lost["tags"]["projrun.reason"].startswith("lost: ")
    assert Path(lost["artifact_folder"], "logs", "output.log").read_bytes() == b"working\n"
    assert list((runner.home / "active").iterdir()) == []


def is_alive(pid: int) -> bool:
    """Whether it runs: one that has ended may wait long for a container's init to collect it."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_runs_list_ends_lost_runs_too(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", STUBBORN)
    process = runner.started(project, "--grace-period", "0.2", script_ready=project / "ready")
    process.send_signal(signal.SIGKILL)
    process.end()
    listed = run_projrun("runs", "list", "--json", environ=runner.environ).check()
    assert [run["status"] for run in json.loads(listed.stdout)["runs"]] == ["KILLED"]


def test_an_environment_that_cannot_be_built_ends_the_run(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "")
    (project / "requirements.txt").write_text("projrun-no-such-package==9\n")
    environ = {"PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "UV_OFFLINE": "1"}
    done = runner(project, "--env-manager", "uv", environ=environ)
    assert done.returncode == 4, done.stderr
    run = runner.only_run()
    assert run["status"] == "FAILED"
    assert run["tags"]["projrun.exit_code"] == "4"
    assert run["tags"]["projrun.reason"]
    as_json = json.loads(runner(project, "--env-manager", "uv", "--json", environ=environ).stdout)
    assert as_json["exit_code"] == 4
    assert as_json["run_id"] == runner.runs()[0]["run_id"]
    assert not list((runner.home / "cache" / "environments").rglob("pyvenv.cfg"))


def test_a_downloaded_parameter_is_removed_after_the_run_and_kept_where_asked(
    runner: Runner, tmp_path: Path
) -> None:
    project = write_project(
        tmp_path / "project",
        "entry_points: {main: {parameters: {data: path}, command: 'cat {data}; echo {data}'}}",
    )
    with serve(always(Answer(b"numbers"))) as server:
        uri = f"{server.uri}/data.txt"
        done = runner(project, "-P", f"data={uri}").check()
        content, place = done.stdout.split("numbers")[0], done.stdout.removeprefix("numbers").strip()
        assert content == ""
        assert not Path(place).exists()
        assert runner.only_run()["params"] == {"data": uri}
        kept = runner(project, "-P", f"data={uri}", "--storage-dir", "kept").check()
        theirs = runner(project, "-P", f"data={uri}", environ={"MLFLOW_TMP_DIR": str(tmp_path / "t")}).check()
    for done, folder in ((kept, "kept"), (theirs, "t")):
        file = Path(done.stdout.removeprefix("numbers").strip())
        assert (file.read_text(), file.parts[-3]) == ("numbers", folder)


def test_what_the_command_writes_into_a_file_uri_stays(runner: Runner, tmp_path: Path) -> None:
    data = tmp_path / "my data"
    data.mkdir()
    project = write_project(
        tmp_path / "project",
        "entry_points: {main: {parameters: {data: path}, command: 'echo model > {data}/model'}}",
    )
    runner(project, "-P", f"data={data.as_uri()}").check()
    assert (data / "model").read_text() == "model\n"
    assert runner.only_run()["params"] == {"data": data.as_uri()}
    assert not (runner.home / "cache" / "downloads").exists()


def test_a_download_that_fails_ends_the_run_with_exit_code_3(runner: Runner, tmp_path: Path) -> None:
    project = write_project(
        tmp_path / "project", "entry_points: {main: {parameters: {data: path}, command: 'cat {data}'}}"
    )
    done = runner(project, "-P", "data=http://127.0.0.1:9/data.csv")
    assert done.returncode == 3, done.stderr
    assert runner.only_run()["status"] == "FAILED"
    assert list((runner.home / "cache" / "downloads").glob("*")) == []


def test_the_plan_writes_nothing(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "", "{alpha: {type: float, default: 0.10}}")
    done = run_projrun("plan", project, "--json", environ=runner.environ).check()
    document = json.loads(done.stdout)
    assert document["parameters"] == [
        {
            "name": "alpha",
            "type": "float",
            "value": "0.10",
            "given": "0.10",
            "origin": "default",
            "declared": True,
            "download": None,
        }
    ]
    assert document["tracking"] == {
        "uri": f"sqlite:///{runner.home}/projrun.db",
        "origin": "default: the embedded store",
        "journal": "",
    }
    assert document["environment"]["manager"] == "local"
    assert not runner.home.exists()
    assert (
        run_projrun("run", project, "--dry-run", "--json", environ=runner.environ).check().stdout
        == done.stdout
    )


def test_the_plan_says_where_each_choice_comes_from(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "")
    environ = {**runner.environ, "MLFLOW_TRACKING_URI": "http://user:secret@127.0.0.1:9"}
    text = run_projrun("plan", project, "--experiment-name", "x", environ=environ).check().stdout
    assert "http://127.0.0.1:9 ($MLFLOW_TRACKING_URI)" in text
    assert "x (--experiment-name)" in text
    assert "$PROJRUN_ENV_MANAGER" in text
    assert "secret" not in text


def test_a_tracking_server_that_is_down_is_told_before_the_start(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "from pathlib import Path; Path('ran').touch()")
    started = time.monotonic()
    done = runner(project, "--tracking-uri", "http://user:secret@127.0.0.1:9")
    assert done.returncode == 5
    assert time.monotonic() - started < 30  # MLflow waits for two minutes
    assert "http://127.0.0.1:9" in done.stderr
    assert "secret" not in done.stderr
    assert not (project / "ran").exists()


def test_output_to_a_pipe_that_closes_does_not_end_the_run(runner: Runner, tmp_path: Path) -> None:
    script = "for number in range(20000): print(number)"
    project = python_project(tmp_path / "project", script)
    with runner.start(project, "--quiet") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        assert process.wait(timeout=30) == 0
    assert runner.log().splitlines()[-1] == b"19999"


def test_a_missing_extra_is_one_warning_that_names_it_and_the_log_is_kept(
    runner: Runner, tmp_path: Path
) -> None:
    store = SqlStore.open(runner.home / "projrun.db")
    store.create_experiment("on gcs", "gs://bucket/runs")
    store.close()
    project = python_project(tmp_path / "project", "print('worth keeping')")
    done = runner(project, "--experiment-name", "on gcs").check()
    warnings = [line for line in done.stderr.splitlines() if "warning" in line]
    assert len(warnings) == 2
    assert "projrun[gcs]" in warnings[0]
    kept = Path(warnings[1].partition(" is kept in ")[2])
    assert kept.read_text() == "worth keeping\n"
    assert runner.only_run()["status"] == "FINISHED"


class Answers(BaseHTTPRequestHandler):
    """A server that answers every request the same way."""

    status = 200
    body = b""

    def _answer(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.mark.parametrize(
    ("status", "body", "fragments"),
    [
        (401, b"who are you?", ["401", "MLFLOW_TRACKING_TOKEN"]),
        (200, b"<html>welcome</html>", ["not MLflow's REST API"]),
        (200, b'{"run": 7}', ["not MLflow's REST API"]),
        (500, b"Traceback", ["500"]),
    ],
)
def test_a_tracking_server_that_refuses_or_answers_nonsense(
    runner: Runner, tmp_path: Path, status: int, body: bytes, fragments: list[str]
) -> None:
    handler = type("Handler", (Answers,), {"status": status, "body": body})
    project = python_project(tmp_path / "project", "from pathlib import Path; Path('ran').touch()")
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"127.0.0.1:{server.server_port}"
        done = runner(project, "--tracking-uri", f"http://user:hunter2@{address}")
        server.shutdown()
        thread.join()
    assert done.returncode == 5, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert f"http://{address}" in done.stderr
    assert "hunter2" not in done.stderr
    for fragment in fragments:
        assert fragment in done.stderr
    assert not (project / "ran").exists()


def test_a_run_that_another_runner_records_is_left_alone(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", WAITS)
    process = runner.started(project, "--run-name", "mine", script_ready=project / "ready")
    (run,) = runner.runs()
    done = runner(project, "--run-id", run["run_id"], "--run-name", "stolen")
    assert done.returncode == 2
    assert "another runner records" in done.stderr
    assert (runner.only_run()["run_name"], runner.only_run()["status"]) == ("mine", "RUNNING")
    process.send_signal(signal.SIGTERM)
    process.end()


def test_a_run_id_that_is_a_path_is_refused(runner: Runner, tmp_path: Path) -> None:
    done = runner(python_project(tmp_path / "project", ""), "--run-id", "../../outside")
    assert done.returncode == 2
    assert "'../../outside' is not a run id" in done.stderr
    assert not (tmp_path / "outside").exists()


def test_the_output_of_a_lost_run_waits_where_no_store_takes_it(runner: Runner, tmp_path: Path) -> None:
    store = SqlStore.open(runner.home / "projrun.db")
    store.create_experiment("on s3", "s3://bucket/runs")
    store.close()
    project = python_project(tmp_path / "project", STUBBORN)
    process = runner.started(
        project, "--experiment-name", "on s3", "--grace-period", "0.2", script_ready=project / "ready"
    )
    runner.wait_for_output(b"working\n")
    process.send_signal(signal.SIGKILL)
    process.end()
    run = runner.only_run()
    assert run["status"] == "KILLED"
    (kept,) = (runner.home / "active").rglob("output.log")
    assert kept.read_bytes() == b"working\n"


def test_the_output_of_a_continued_run_that_is_lost_replaces_none(runner: Runner, tmp_path: Path) -> None:
    runner(python_project(tmp_path / "first", "print('first')")).check()
    run_id = runner.only_run()["run_id"]
    project = python_project(tmp_path / "project", STUBBORN)
    process = runner.started(
        project, "--run-id", run_id, "--grace-period", "0.2", script_ready=project / "ready"
    )
    runner.wait_for_output(b"working\n")
    process.send_signal(signal.SIGKILL)
    process.end()
    assert runner.only_run()["status"] == "KILLED"
    logs = runner.home / "artifacts" / "0" / run_id / "artifacts" / "logs"
    texts = {file.name: file.read_text() for file in logs.iterdir()}
    assert texts == {"output.log": "first\n", "output-2.log": "working\n"}


def test_a_nested_run_in_another_store_takes_no_ids_along(runner: Runner, tmp_path: Path) -> None:
    script = "import os; print(os.environ.get('PROJRUN_ENDPOINT_STORE'), os.environ['MLFLOW_EXPERIMENT_ID'])"
    inner = python_project(tmp_path / "inner", script)
    with Endpoint.open(lambda: SqlStore.open(tmp_path / "other" / "other.db")) as other:
        argv = [*projrun_argv(), "run", str(inner), "--tracking-uri", other.uri]
        outer = python_project(tmp_path / "outer", f"import subprocess; subprocess.run({argv!r}, check=True)")
        done = runner(outer, "--experiment-name", "only here").check()
    assert done.stdout == "None 0\n"
    where = f"run {runner.only_run()['run_id']} is in sqlite:///{runner.home}/projrun.db"
    assert f"projrun: warning: no parent is recorded: {where}, this run in http://127.0.0.1:" in done.stderr
    assert runner.only_run()["experiment_name"] == "only here"
    store = SqlStore.open(tmp_path / "other" / "other.db")
    (nested,) = store.search_runs(["0"]).runs
    store.close()
    assert (nested.status, nested.tag("mlflow.parentRunId")) == ("FINISHED", None)


def test_bytes_that_are_no_utf8_reach_the_command_and_are_recorded_as_escapes(
    runner: Runner, tmp_path: Path
) -> None:
    script = "import os, sys; os.write(1, os.fsencode(sys.argv[1]))"
    command = json.dumps(f"{shlex.quote(sys.executable)} -c '{script}' {{text}}")
    project = write_project(
        tmp_path / "project", f"entry_points: {{main: {{parameters: {{text: string}}, command: {command}}}}}"
    )
    done = subprocess.run(
        [*projrun_argv(), "run", project, "-P", b"text=a\xff", "--run-name", b"b\xff"],
        env={**os.environ, **runner.environ},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"a\xff")
    run = runner.only_run()
    assert (run["params"], run["run_name"]) == ({"text": "a\\udcff"}, "b\\udcff")


REFUSES_ENDS = """
import os, sqlite3
from pathlib import Path
database = sqlite3.connect(Path(os.environ["PROJRUN_HOME"], "projrun.db"))
database.execute("CREATE TRIGGER refuse BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'no room'); END")
database.close()
raise SystemExit(3)
"""


def test_an_end_that_the_store_did_not_take_is_still_told(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", REFUSES_ENDS)
    done = runner(project, "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["status"], document["exit_code"]) == (3, "FAILED", 3)
    assert "the run's end could not be recorded" in done.stderr
    database = sqlite3.connect(runner.home / "projrun.db")
    database.execute("DROP TRIGGER refuse")
    database.close()
    run = runner.only_run()
    assert (run["status"], run["tags"]["projrun.reason"]) == ("FAILED", "exit code 3")


def test_an_env_file_that_cannot_be_read_is_told(runner: Runner, tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "")
    for name, reason in (("missing", "No such file"), ("project", "Is a directory"), ("x" * 300, "too long")):
        done = runner(project, "--env-file", name)
        assert done.returncode == 2
        assert f"--env-file: {name}: " in done.stderr
        assert reason in done.stderr


def test_a_storage_folder_in_the_home_of_nobody_known_is_refused(runner: Runner, tmp_path: Path) -> None:
    done = runner(python_project(tmp_path / "project", ""), "--storage-dir", "~no-such-user/x")
    assert done.returncode == 2
    assert "--storage-dir: ~no-such-user/x" in done.stderr
