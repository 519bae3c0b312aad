"""Scripts that record with `projrun.log`, as processes of their own: what their store has in the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import pytest

from projrun.directories import Directories
from projrun.running.during.machine import Machine
from projrun.tracking.entities import Metric, Run
from projrun.tracking.open import open_store
from projrun.tracking.runs import RunStore
from projrun.tracking.uri import parse_tracking_uri
from tests.support.commands import projrun_argv, run_command, run_projrun
from tests.support.guard import REPOSITORY
from tests.support.program import projrun_server

pytestmark = pytest.mark.processes


class Scripts:
    """Runs scripts, and reads the store that they record to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {**os.environ, "PROJRUN_HOME": str(folder / "home"), "PYTHONWARNINGS": "error"}
        self.environ.pop("MLFLOW_TRACKING_URI", None)

    def start(self, text: str, **environ: str) -> subprocess.Popen[str]:
        """A process that goes on."""
        script = self.folder / "train.py"
        script.write_text(f"import os, sys, time\nimport projrun.log as mlflow\n{text}")
        return subprocess.Popen(
            [sys.executable, str(script)],
            env={**self.environ, **environ},
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, text: str, *, code: int = 0, **environ: str) -> tuple[str, str]:
        """What a script prints on both streams."""
        process = self.start(text, **environ)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, err
        return out, err

    def store(self) -> AbstractContextManager[RunStore]:
        """The embedded one."""
        database = Directories.locate(self.environ).database
        return closing(open_store(parse_tracking_uri(f"sqlite:///{database}"), self.environ, warn=print))

    def runs(self) -> list[Run]:
        """The embedded store's, the newest first."""
        with self.store() as store:
            experiments = store.search_experiments().experiments
            return list(store.search_runs([each.experiment_id for each in experiments]).runs)

    def history(self, run_id: str, key: str) -> Sequence[Metric]:
        """The points of a metric."""
        with self.store() as store:
            return store.get_metric_history(run_id, key).metrics


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    return Scripts(tmp_path)


def values(run: Run) -> dict[str, float]:
    return {metric.key: metric.value for metric in run.metrics}


def tags(run: Run) -> dict[str, str]:
    return {tag.key: tag.value for tag in run.tags}


def test_a_script_is_recorded_without_a_server(scripts: Scripts) -> None:
    out, err = scripts.run(
        """
with mlflow.start_run(run_name="first", tags={"team": "red"}, description="Read **this**") as run:
    mlflow.log_params({"alpha": 0.5, "model": "rf"})
    for step in range(2500):
        mlflow.log_metric("loss", 1 / (1 + step), step=step)
    mlflow.log_metrics({"nan": float("nan"), "inf": float("inf"), "less": float("-inf")}, step=3)
    mlflow.log_text("hello", "notes/today.txt")
    print(run.info.run_id, mlflow.get_artifact_uri("notes"))
"""
    )
    assert err == ""
    (run,) = scripts.runs()
    folder = scripts.folder / "home" / "artifacts" / "0" / run.run_id / "artifacts"
    assert out.split() == [run.run_id, str(folder / "notes")]
    assert (run.run_name, run.status) == ("first", "FINISHED")
    assert run.end_time
    assert {param.key: param.value for param in run.params} == {"alpha": "0.5", "model": "rf"}
    found = values(run)
    assert str(found.pop("nan")) == "nan"
    assert found == {"loss": 1 / 2500, "inf": float("inf"), "less": float("-inf")}
    assert (folder / "notes" / "today.txt").read_text() == "hello"
    said = tags(run)
    assert said["mlflow.source.name"] == str(scripts.folder / "train.py")
    assert (said["mlflow.source.type"], said["team"], said["mlflow.note.content"]) == (
        "LOCAL",
        "red",
        "Read **this**",
    )


def test_runs_are_nested_and_continued(scripts: Scripts) -> None:
    scripts.run(
        """
with mlflow.start_run(run_name="outer") as outer:
    with mlflow.start_run(nested=True, run_name="inner"):
        mlflow.log_metric("depth", 2)
    assert mlflow.active_run() is outer
    mlflow.log_metric("depth", 1)
assert mlflow.active_run() is None
with mlflow.start_run(run_id=outer.info.run_id):
    mlflow.log_metric("later", 3)
"""
    )
    by_name = {run.run_name: run for run in scripts.runs()}
    assert values(by_name["outer"]) == {"depth": 1, "later": 3}
    assert tags(by_name["inner"])["mlflow.parentRunId"] == by_name["outer"].run_id
    assert {run.status for run in by_name.values()} == {"FINISHED"}


@pytest.mark.parametrize(
    ("ending", "code", "status"),
    [
        ("", 0, "FINISHED"),
        ("raise ValueError", 1, "FAILED"),
        ("os.kill(os.getpid(), 15)", -15, "KILLED"),
        ("mlflow.end_run('KILLED')", 0, "KILLED"),
    ],
)
def test_a_run_without_a_block_has_an_end(scripts: Scripts, ending: str, code: int, status: str) -> None:
    scripts.run(f"mlflow.log_metric('loss', 1)\n{ending}", code=code)
    (run,) = scripts.runs()
    assert (run.status, values(run)) == (status, {"loss": 1})


def test_a_block_that_fails(scripts: Scripts) -> None:
    scripts.run("with mlflow.start_run():\n    raise ValueError", code=1)
    (run,) = scripts.runs()
    assert run.status == "FAILED"


def test_kill_9_loses_a_second_at_most_and_the_run_ends(scripts: Scripts) -> None:
    process = scripts.start(
        """
print(mlflow.start_run().info.run_id, flush=True)
for step in range(1_000_000):
    mlflow.log_metric("step", step, step=step)
    time.sleep(0.001)
"""
    )
    assert process.stdout
    process.stdout.readline()
    with scripts.store() as store:
        run_with(store, 100)  # nothing but time makes it send them
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 120
    while (run := scripts.runs()[0]).status == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert run.status == "FAILED"
    assert values(run)["step"] >= 100
    assert tags(run)["projrun.reason"] == "the process that recorded it was killed"


LOGGING = """
mlflow.start_run()
for step in range(1_000_000):
    mlflow.log_metric("step", step, step=step)
    time.sleep(0.001)
    if os.path.exists("enough"):
        break
"""


def waits_until_kept(scripts: Scripts, step: int) -> Path:
    """The file to which the values of a script go while its server hangs, once that step is in it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:  # a sign that it never will be
        for spool in (scripts.folder / "home" / "spool").glob("*.jsonl"):
            if any(point["step"] >= step for point in points_of(spool)):
                return spool
        time.sleep(0.05)
    spools = list((scripts.folder / "home").rglob("*"))
    raise AssertionError(f"nothing is kept: {spools} {[s.read_text()[-300:] for s in spools if s.is_file()]}")


def run_with(store: RunStore, step: int) -> Run:
    """The one of the store, once it has that step."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for run in store.search_runs(["0"]).runs:
            if values(run).get("step", 0) >= step:
                return run
        time.sleep(0.05)
    raise AssertionError("nothing is recorded")


def points_of(spool: Path) -> list[dict[str, int]]:
    """The metrics in its whole lines."""
    lines = [json.loads(line) for line in spool.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [point for line in lines for point in line.get("body", {}).get("metrics", ())]


def test_kill_9_takes_nothing_with_it_while_a_server_hangs(scripts: Scripts, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with answering() as address:
        port = int(address.rpartition(":")[2])
        process = scripts.start(LOGGING, MLFLOW_TRACKING_URI=address)
        spool = waits_until_kept(scripts, 200)
        process.kill()
        process.communicate()
    kept = [point["step"] for point in points_of(spool)]
    assert kept == list(range(len(kept)))
    with projrun_server(folder, port=port) as server:
        run_projrun("sync", environ=scripts.environ).check()
        with closing(open_store(parse_tracking_uri(server.uri), scripts.environ, warn=print)) as store:
            (run,) = store.search_runs(["0"]).runs
            history = store.get_metric_history(run.run_id, "step").metrics
            assert [point.step for point in history] == kept


def test_a_server_that_hangs_for_a_while_gets_each_value_once(scripts: Scripts, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with projrun_server(folder) as server:
        process = scripts.start(f"{LOGGING}print(step)", MLFLOW_TRACKING_URI=server.uri)
        with closing(open_store(parse_tracking_uri(server.uri), scripts.environ, warn=print)) as store:
            run = run_with(store, 1)
            server.process.send_signal(signal.SIGSTOP)
            waits_until_kept(scripts, int(run.metrics[0].step) + 500)
            server.process.send_signal(signal.SIGCONT)
            (tmp_path / "enough").touch()
            out, err = process.communicate(timeout=120)
            assert err == ""
            (run,) = store.search_runs(["0"]).runs
            history = store.get_metric_history(run.run_id, "step").metrics
            assert [point.step for point in history] == list(range(int(out) + 1))
            assert run.status == "FINISHED"
    assert not any((tmp_path / "home" / "spool").iterdir())


def test_what_is_no_value_stops_nothing(scripts: Scripts) -> None:
    out, err = scripts.run(
        """
with mlflow.start_run():
    mlflow.log_metric("none", "high")
    mlflow.log_metrics({"a": 1, "b" * 300: 2, "c": 3})
    mlflow.log_param("alpha", 1)
    mlflow.log_param("alpha", 2)
    mlflow.log_artifact("missing.txt")
    mlflow.log_text("up", "a/../../up.txt")
    mlflow.log_text("root", "/root.txt")
    mlflow.log_dict({"a": 1}, "good.json")
    mlflow.log_figure(object(), "bad.png")
    mlflow.log_table(5, "bad.json")
    mlflow.log_image("no image", "bad.png")
    mlflow.log_params(5)
    mlflow.log_input(object())
    mlflow.log_metric(None, 1)
print("to the end")
"""
    )
    assert out == "to the end\n"
    (run,) = scripts.runs()
    assert (values(run), [param.value for param in run.params]) == ({"a": 1, "c": 3, "None": 1}, ["1"])
    lines = [line.split(": ", 2)[1:] for line in err.splitlines()]
    calls = ["log_artifact", "log_text", "log_text", "log_figure", "log_table", "log_image", "log_params"]
    assert sorted(about for about, _ in lines) == sorted(
        ["metric 'none'", f"metrics '{'b' * 300}'", "params 'alpha'", "log_input", *calls]
    )
    said = dict(lines)
    assert str(scripts.folder / "missing.txt") in said["log_artifact"]
    assert "Changing param values is not allowed" in said["params 'alpha'"]
    home = scripts.folder / "home"
    assert [file.name for file in home.rglob("*") if file.suffix in (".txt", ".json")] == ["good.json"]


def test_the_table_of_an_earlier_process_goes_on(scripts: Scripts) -> None:
    script = "with mlflow.start_run(RUN_ID):\n    mlflow.log_table({'x': [NUMBER], 'y': 5}, 'a/t.json')\n"
    script += (
        "    mlflow.log_table({'x': [NUMBER]}, 'NUMBER.json')\n    print(mlflow.active_run().info.run_id)"
    )
    out, _ = scripts.run(script.replace("RUN_ID", "").replace("NUMBER", "1"))
    scripts.run(script.replace("RUN_ID", repr(out.strip())).replace("NUMBER", "2"))
    (run,) = scripts.runs()
    (table,) = (scripts.folder / "home" / "artifacts").rglob("t.json")
    assert json.loads(table.read_text()) == {"columns": ["x", "y"], "data": [[1, 5], [2, 5]]}
    listed = json.loads(tags(run)["mlflow.loggedArtifacts"])
    assert [each["path"] for each in listed] == ["a/t.json", "1.json", "2.json"]


def test_a_server_that_is_away_gets_all_of_it_later(scripts: Scripts, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with projrun_server(folder) as server:
        port = server.port
    script = """
mlflow.set_experiment("later")
with mlflow.start_run(run_name="outer"):
    mlflow.log_param("alpha", 1)
    mlflow.log_metric("loss", float("nan"), step=1)
    mlflow.log_text("kept", "notes.txt")
    with mlflow.start_run(nested=True, run_name="inner"):
        mlflow.set_tag("k", "v")
"""
    address = f"http://127.0.0.1:{port}"
    _, err = scripts.run(script, MLFLOW_TRACKING_URI=address)
    assert err.count("\n") <= 2
    assert "what is logged waits in" in err
    waiting = run_projrun("sync", environ=scripts.environ)
    assert waiting.returncode == 5
    assert f"waits: what a script logged for {address}" in waiting.stdout
    with projrun_server(folder, port=port) as server:
        delivered = run_projrun("sync", environ=scripts.environ)
        assert delivered.returncode == 0
        assert re.fullmatch(rf"delivered what a script logged for {address}: \d+ calls\n", delivered.stdout)
        assert run_projrun("sync", environ=scripts.environ).stdout == ""
        with closing(open_store(parse_tracking_uri(server.uri), scripts.environ, warn=print)) as store:
            experiment = store.get_experiment_by_name("later")
            assert experiment
            inner, outer = store.search_runs(
                [experiment.experiment_id], order_by=["attributes.run_name"]
            ).runs
            assert (inner.status, outer.status) == ("FINISHED", "FINISHED")
            assert tags(inner)["mlflow.parentRunId"] == outer.run_id
            assert str(values(outer)["loss"]) == "nan"
    assert not any((tmp_path / "home" / "spool").iterdir())


def test_a_server_that_comes_back_gets_it_in_the_same_process(scripts: Scripts, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with projrun_server(folder) as server:
        port, uri = server.port, server.uri
        process = scripts.start(
            """
from projrun.log import recorder
recorder._AWAY = 0.2
mlflow.start_run()
for step in range(100_000):
    mlflow.log_metric("step", step, step=step)
    time.sleep(0.01)
    if os.path.exists("enough"):
        break
print(step)
""",
            MLFLOW_TRACKING_URI=uri,
        )
        with closing(open_store(parse_tracking_uri(uri), scripts.environ, warn=print)) as store:
            run = run_with(store, 1)
    last = points_of(waits_until_kept(scripts, int(run.metrics[0].step) + 50))[-1]["step"]
    address = parse_tracking_uri(f"http://127.0.0.1:{port}")
    with (
        projrun_server(folder, port=port),
        closing(open_store(address, scripts.environ, warn=print)) as store,
    ):
        run_with(store, last + 50)
        (tmp_path / "enough").touch()
        out, _ = process.communicate(timeout=120)
        (run,) = store.search_runs(["0"]).runs
        history = store.get_metric_history(run.run_id, "step")
        assert [point.value for point in history.metrics] == list(range(int(out.split()[-1]) + 1))
        assert run.status == "FINISHED"


@contextmanager
def answering(*answer: bytes) -> Iterator[str]:
    """A server that gives every request that answer; without one, none."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                kept.append(connection)
                connection.settimeout(0.5)
                with suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(b"".join(answer))
                    if answer:
                        connection.close()

    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "it answers 401; see MLFLOW_TRACKING_USERNAME"),
        (
            b'HTTP/1.1 403 No\r\nContent-Length: 33\r\n\r\n{"error_code": "X", "message": ""}',
            "it answers 403",
        ),
        (b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nnope", "it answers 404"),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", "it answers 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "is not an MLflow server"),
        (b"", "cannot be used"),
    ],
)
def test_who_does_not_answer_as_mlflow_is_away(
    scripts: Scripts, tmp_path: Path, answer: bytes, why: str
) -> None:
    with answering(answer) if answer else answering() as address:
        _, err = scripts.run(
            "mlflow.log_metric('loss', 1)",
            MLFLOW_TRACKING_URI=address, MLFLOW_HTTP_REQUEST_TIMEOUT="1", no_proxy="127.0.0.1",
        )  # fmt: skip
        assert why in err
        assert "what is logged waits in" in err
        assert (
            run_projrun("sync", environ={**scripts.environ, "MLFLOW_HTTP_REQUEST_TIMEOUT": "1"}).returncode
            == 5
        )
    (spool,) = (tmp_path / "home" / "spool").iterdir()
    calls = [json.loads(line).get("call") for line in spool.read_text().splitlines()]
    assert calls == [None, "runs/create", "runs/log-batch", "runs/update"]


def test_a_server_that_does_not_answer_holds_the_end_for_a_while_only(
    scripts: Scripts, tmp_path: Path
) -> None:
    with answering() as address:
        process = scripts.start(
            "mlflow.log_metric('loss', 1)\ntime.sleep(1)\nprint(1, flush=True)\ntime.sleep(600)",
            MLFLOW_TRACKING_URI=address,
            MLFLOW_HTTP_REQUEST_TIMEOUT="600",
        )
        assert process.stdout
        process.stdout.readline()
        process.terminate()
        _, err = process.communicate(timeout=300)
    assert "what is logged waits in" in err
    (spool,) = (tmp_path / "home" / "spool").iterdir()
    assert [json.loads(line).get("call") for line in spool.read_text().splitlines()][1:] == [
        "runs/create", "runs/log-batch", "runs/update"
    ]  # fmt: skip


def test_what_waits_is_refused_value_by_value(scripts: Scripts, tmp_path: Path) -> None:
    """As online; a line that is cut off takes no other with it."""
    folder = tmp_path / "server"
    folder.mkdir()
    with projrun_server(folder) as server:
        port = server.port
    address = f"http://127.0.0.1:{port}"
    scripts.run(
        """
with mlflow.start_run(experiment_id="12345"):
    mlflow.log_metric("gone", 1)
with mlflow.start_run(run_name="kept"):
    mlflow.log_metrics({"a": 1, "b" * 300: 2, "c": 3})
""",
        MLFLOW_TRACKING_URI=address,
    )
    (spool,) = (tmp_path / "home" / "spool").iterdir()
    spool.write_text(spool.read_text() + '{"run": "12')
    with projrun_server(folder, port=port) as server:
        synced = run_projrun("sync", environ=scripts.environ)
        assert (synced.returncode, synced.stderr) == (0, "")
        assert [line.split(":")[0] for line in synced.stdout.splitlines()] == [
            "runs/create", f"metrics '{'b' * 300}'", str(spool), "delivered what a script logged for http"
        ]  # fmt: skip
        with closing(open_store(parse_tracking_uri(server.uri), scripts.environ, warn=print)) as store:
            (run,) = store.search_runs(["0"]).runs
            assert (run.run_name, values(run)) == ("kept", {"a": 1, "c": 3})


def test_values_of_a_run_by_its_id_are_the_first_call(scripts: Scripts) -> None:
    out, _ = scripts.run("print(mlflow.start_run().info.run_id)")
    scripts.run(f"mlflow.log_metric('late', 2, run_id='{out.strip()}')")
    (run,) = scripts.runs()
    assert values(run) == {"late": 2}


def test_a_child_that_lives_on_does_not_hold_the_end(scripts: Scripts) -> None:
    out, _ = scripts.run(
        """
mlflow.start_run().info
child = os.fork()
if child == 0:
    for each in (0, 1, 2):
        os.close(each)
    time.sleep(600)
    os._exit(0)
print(child)
"""
    )
    os.kill(int(out), signal.SIGKILL)
    (run,) = scripts.runs()
    assert run.status == "FINISHED"


def test_steps_of_other_kinds_take_nothing_with_them(scripts: Scripts) -> None:
    _, err = scripts.run(
        """
with mlflow.start_run():
    mlflow.log_metric("a", 1, step=2.0)
    mlflow.log_metric("b", 2, step="first")
    mlflow.log_metric("c", 3, timestamp="now")
"""
    )
    (run,) = scripts.runs()
    assert {metric.key: (metric.value, metric.step) for metric in run.metrics} == {
        "a": (1, 2),
        "b": (2, 0),
        "c": (3, 0),
    }
    assert err.count("is not a whole number") == 2


def test_the_use_of_the_machine_is_recorded_as_projrun_run_does(scripts: Scripts) -> None:
    """Whose names are compared with MLflow's. A continued run goes on after its last step."""
    script = """
mlflow.enable_system_metrics_logging()
mlflow.set_system_metrics_sampling_interval(0.02)
mlflow.set_system_metrics_samples_before_logging(2)
mlflow.set_system_metrics_node_id("n1")
with mlflow.start_run(RUN_ID) as run:
    while mlflow.get_run(run.info.run_id).data.metrics.get("system/n1/network_receive_megabytes") is None:
        time.sleep(0.05)
    print(run.info.run_id)
mlflow.disable_system_metrics_logging()
with mlflow.start_run(run_name="unseen"):
    time.sleep(0.2)
"""
    out, err = scripts.run(script.replace("RUN_ID", ""))
    assert err == ""
    by_name = {run.run_name == "unseen": run for run in scripts.runs()}
    machine = Machine({})
    assert set(values(by_name[False])) == {f"system/n1/{name}" for name in machine.sample()}
    assert values(by_name[True]) == {}
    before = max(metric.step for metric in by_name[False].metrics)
    scripts.run(script.replace("RUN_ID", repr(out.strip())).replace("n1", "n2"))
    history = scripts.history(out.strip(), "system/n2/cpu_utilization_percentage")
    assert [point.step for point in history] == [before + 1 + number for number in range(len(history))]


def test_a_link_is_logged_by_its_own_name(scripts: Scripts) -> None:
    (scripts.folder / "blob123").write_text("weights")
    (scripts.folder / "latest.pt").symlink_to("blob123")
    scripts.run("with mlflow.start_run():\n    mlflow.log_artifact('latest.pt')")
    (run,) = scripts.runs()
    artifacts = scripts.folder / "home" / "artifacts" / "0" / run.run_id / "artifacts"
    assert [(file.name, file.read_text()) for file in artifacts.iterdir()] == [("latest.pt", "weights")]


def test_a_server_cannot_write_to_the_terminal(scripts: Scripts) -> None:
    body = b'{"error_code": "X", "message": "\\u001b[2Jgone\\nprojrun: all is well"}'
    answer = b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with answering(answer) as address:
        _, err = scripts.run(
            "mlflow.log_metric('loss', 1)", MLFLOW_TRACKING_URI=address, no_proxy="127.0.0.1"
        )
    assert err == "projrun.log: runs/create: not recorded: \\x1b[2Jgone\\x0aprojrun: all is well\n"


def test_only_the_first_rank_records(scripts: Scripts) -> None:
    script = """
with mlflow.start_run() as run:
    mlflow.log_metric("rank", int(os.environ["RANK"]))
    print(run.info.run_id)
"""
    assert scripts.run(script, RANK="1")[0] == "\n"
    scripts.run(script, RANK="0")
    (run,) = scripts.runs()
    assert values(run) == {"rank": 0}
    scripts.run(script, RANK="1", PROJRUN_LOG_RANKS="all")
    assert len(scripts.runs()) == 2


def test_processes_that_are_forked_log_to_the_run_and_do_not_end_it(scripts: Scripts) -> None:
    scripts.run(
        """
import multiprocessing
def work(number):
    mlflow.log_metric(f"child{number}", number)
with mlflow.start_run():
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=work, args=(number,)) for number in range(3)]
    for child in children: child.start()
    for child in children: child.join()
    if os.fork() == 0:
        mlflow.log_metric("forked", 1)
        sys.exit(0)
    os.wait()
    mlflow.log_metric("parent", 1)
"""
    )
    (run,) = scripts.runs()
    assert values(run) == {"child0": 0, "child1": 1, "child2": 2, "forked": 1, "parent": 1}
    assert run.status == "FINISHED"


def test_a_pool_that_is_terminated_does_not_hang(scripts: Scripts) -> None:
    """Its processes get TERM while they flush at their end."""
    out, _ = scripts.run(
        """
import multiprocessing
def work(number):
    mlflow.log_metric("child", number)
mlflow.start_run()
for _ in range(4):
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(work, range(3))
print("done")
""",
        PYTHONWARNINGS="ignore",
    )
    assert out == "done\n"


def test_questions_are_answered_after_what_was_logged(scripts: Scripts) -> None:
    out, _ = scripts.run(
        """
number = mlflow.create_experiment("wine", tags={"team": "red"})
assert mlflow.set_experiment("wine").experiment_id == number
mlflow.set_experiment_tag("data", "v1")
for alpha in (0.1, 0.5):
    with mlflow.start_run():
        mlflow.log_param("alpha", alpha)
        mlflow.log_metric("rmse", alpha * 2)
found = mlflow.search_runs(experiment_names=["wine"], filter_string="metrics.rmse > 0.5", output_format="list")
print([(run.data.params, run.data.metrics) for run in found])
both = mlflow.search_runs(order_by=["metrics.rmse ASC"], max_results=1, output_format="list")
print(len(both), both[0].info.status, mlflow.get_experiment(number).tags, mlflow.get_experiment_by_name("beer"))
try:
    mlflow.create_experiment("wine")
except mlflow.LogError as error:
    print(error)
try:
    mlflow.sklearn
except AttributeError as error:
    print(error)
"""
    )
    assert out.splitlines() == [
        "[({'alpha': '0.5'}, {'rmse': 1.0})]",
        "1 FINISHED {'data': 'v1', 'team': 'red'} None",
        "Experiment(name=wine) already exists (id 1)",
        "projrun.log has no 'sklearn'; `import mlflow` has, and records to the same server",
    ]


def test_runs_of_all_experiments_are_found(scripts: Scripts) -> None:
    """More than the server gives on one page."""
    scripts.run("mlflow.create_experiment('first')")
    with scripts.store() as store:
        for number in range(1100):
            store.create_experiment(f"experiment {number:04}")
    out, _ = scripts.run(
        """
for name in ("experiment 0000", "experiment 1099"):
    mlflow.set_experiment(name)
    mlflow.start_run(run_name=name)
    mlflow.end_run()
found = mlflow.search_runs(search_all_experiments=True, output_format="list")
print(sorted(run.info.run_name for run in found))
"""
    )
    assert out == "['experiment 0000', 'experiment 1099']\n"


def test_in_a_run_of_projrun_it_is_that_run(scripts: Scripts) -> None:
    command = f"command: '{sys.executable} train.py'"
    (scripts.folder / "MLproject").write_text(f"entry_points:\n  main:\n    {command}\n")
    (scripts.folder / "train.py").write_text(
        "import projrun.log as mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('loss', 0.5)\n"
        "    print(mlflow.get_artifact_uri('x'), mlflow.active_run().info.experiment_id)\n"
    )
    assert (
        run_projrun("run", ".", "--env-manager=local", environ=scripts.environ, cwd=scripts.folder).returncode
        == 0
    )
    (run,) = scripts.runs()
    assert (run.status, values(run)) == ("FINISHED", {"loss": 0.5})


def test_a_run_in_an_older_python_without_projrun_has_it(scripts: Scripts) -> None:
    command = f"command: '{older_python()} train.py'"
    (scripts.folder / "MLproject").write_text(f"entry_points:\n  main:\n    {command}\n")
    (scripts.folder / "train.py").write_text(
        """
import projrun.log as mlflow
from projrun.log import callbacks
with mlflow.start_run():
    mlflow.log_metric("loss", 0.5)
    mlflow.log_text("hello", "notes.txt")
    assert callbacks.sklearn()
try:
    from projrun import run
except ImportError as error:
    print(error)
try:
    import projrun
    projrun.search_runs
except AttributeError as error:
    print(error)
"""
    )
    argv = ("run", ".", "--env-manager=local")
    done = run_projrun(*argv, environ=scripts.environ, cwd=scripts.folder).check()
    assert done.stdout.count("add projrun to its requirements") == 2
    (run,) = scripts.runs()
    assert (run.status, values(run)) == ("FINISHED", {"loss": 0.5})
    without = run_projrun(*argv, environ={**scripts.environ, "PROJRUN_LOG": "off"}, cwd=scripts.folder)
    assert without.returncode == 1
    assert "No module named 'projrun'" in without.stderr


def test_a_copy_in_an_older_python_uses_the_program_on_path(scripts: Scripts, tmp_path: Path) -> None:
    python = older_python()
    (tmp_path / "copied").mkdir()
    shutil.copytree(REPOSITORY / "projrun" / "log", tmp_path / "copied" / "projrun" / "log")
    (tmp_path / "copied" / "projrun" / "__init__.py").touch()
    (tmp_path / "train.py").write_text(
        "import projrun.log as mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('loss', 0.5)\n"
    )
    path = f"{Path(projrun_argv()[0]).parent}:{os.environ['PATH']}"
    environ = {**scripts.environ, "PATH": path, "PYTHONPATH": str(tmp_path / "copied")}
    done = run_command([python, "train.py"], cwd=tmp_path, environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    (run,) = scripts.runs()
    assert (run.status, values(run)) == ("FINISHED", {"loss": 0.5})


def older_python() -> str:
    """One of 3.7 to 3.9, where this machine has one; else the one behind that of the tests."""
    root = Path(os.environ.get("PYENV_ROOT", Path("~/.pyenv").expanduser())) / "versions"
    return next(
        (str(found) for minor in (7, 8, 9) for found in sorted(root.glob(f"3.{minor}.*/bin/python"))),
        str(Path(sys.executable).resolve()),  # without what its environment has
    )
