"""Faults under load: a killed server, a locked store, a full disk. What was acknowledged is kept, and nothing half."""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from projrun.tracking.sql.store import SqlStore
from tests.support.commands import missing
from tests.support.program import Program, projrun_server

pytestmark = pytest.mark.integration

WRITERS = 6


class Writer(threading.Thread):
    """Logs batches of a metric and a param each into a run of its own, until the server is gone."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.run_id, _ = "", ""
        self.acknowledged = 0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.run_id = str(self.ask("runs/create", experiment_id="0")[1]["run"]["info"]["run_id"])

    def ask(self, route: str, **message: Any) -> tuple[int, Any]:
        """The status and the answer."""
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", f"/api/2.0/mlflow/{route}", json.dumps(message), headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def run(self) -> None:
        with suppress(OSError, http.client.HTTPException, ValueError):
            while True:
                step = self.acknowledged
                metrics = [{"key": "m", "value": step, "timestamp": 1, "step": step}]
                params = [{"key": f"p{step}", "value": "v"}]
                status, _ = self.ask("runs/log-batch", run_id=self.run_id, metrics=metrics, params=params)
                assert status == 200
                self.acknowledged += 1
        self._connection.close()


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.large)])
def test_a_killed_server_has_kept_what_it_acknowledged(tmp_path: Path, kills: int) -> None:
    for _ in range(kills):
        with projrun_server(tmp_path) as program:
            writers = [Writer(program.port) for _ in range(WRITERS)]
            for writer in writers:
                writer.start()
            _until(lambda: min(writer.acknowledged for writer in writers) > 5)  # noqa: B023 - called here
            program.process.send_signal(signal.SIGKILL)
            for writer in writers:
                writer.join(60)
        with closing(SqlStore.open(tmp_path / "projrun.db")) as store:
            for writer in writers:
                steps = {metric.step for metric in store.get_metric_history(writer.run_id, "m").metrics}
                params = {int(param.key[1:]) for param in store.get_run(writer.run_id).params}
                assert steps == params
                # One more may have been kept whose answer was lost.
                assert steps in (set(range(writer.acknowledged)), set(range(writer.acknowledged + 1)))


@pytest.mark.parametrize("seconds", [0, pytest.param(60, marks=pytest.mark.large)])
def test_a_locked_store_answers_503_and_serves_again(tmp_path: Path, seconds: float) -> None:
    """While the lock is held for `seconds`, and until all that waited has been answered."""
    with projrun_server(tmp_path) as program:
        writer = Writer(program.port)
        with closing(sqlite3.connect(tmp_path / "projrun.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answers: list[tuple[int, Any]] = []
            deadline = time.monotonic() + seconds
            waiting = [
                threading.Thread(target=_refused, args=(program.port, answers, deadline)) for _ in range(3)
            ]
            for thread in waiting:
                thread.start()
            begin, reads = time.monotonic(), 0
            while any(thread.is_alive() for thread in waiting):
                assert _get(program, f"runs/get?run_id={writer.run_id}") == 200
                reads += 1
                time.sleep(0.2)
            assert {answer[0] for answer in answers} == {503}
            assert len(answers) >= 3
            assert {answer[1]["error_code"] for answer in answers} == {"TEMPORARILY_UNAVAILABLE"}
            assert all("locked by another process" in answer[1]["message"] for answer in answers)
            assert max(9, seconds) < time.monotonic() - begin < 60 + seconds
            assert reads > 20
            other.execute("ROLLBACK")
        assert writer.ask("runs/set-tag", run_id=writer.run_id, key="a", value="b")[0] == 200
        writer._connection.close()


def _refused(port: int, answers: list[tuple[int, Any]], deadline: float) -> None:
    """Ask once, and again and again until then."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    asking = True
    with closing(connection):
        while asking:
            body = json.dumps({"name": f"e{time.monotonic_ns()}"})
            connection.request(
                "POST", "/api/2.0/mlflow/experiments/create", body, {"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            answers.append((response.status, json.loads(response.read())))
            asking = time.monotonic() < deadline


def test_a_full_disk_answers_503_and_serves_again(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk", "3m") as disk, projrun_server(disk) as program:
        writer = Writer(program.port)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(65536))
        statuses = []
        for number in range(400):
            value = "x" * 4000
            status, answer = writer.ask("runs/set-tag", run_id=writer.run_id, key=f"k{number}", value=value)
            statuses.append(status)
            if status != 200:
                break
        assert (statuses[-1], answer["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert _get(program, f"runs/get?run_id={writer.run_id}") == 200
        filler.unlink()
        assert writer.ask("runs/set-tag", run_id=writer.run_id, key="after", value="b")[0] == 200
        with closing(SqlStore.open(disk / "projrun.db")) as store:
            kept = {tag.key for tag in store.get_run(writer.run_id).tags} - {"mlflow.runName"}
        assert kept == {"after", *(f"k{number}" for number in range(len(statuses) - 1))}
        writer._connection.close()


@contextmanager
def _small_disk(place: Path, size: str) -> Iterator[Path]:
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        missing(f"only root can mount a small disk: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _get(program: Program, route: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)
    with closing(connection):
        connection.request("GET", f"/api/2.0/mlflow/{route}")
        return connection.getresponse().status


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
