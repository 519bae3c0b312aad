"""The process behind a redirected `mlflow.run`, started as the command's Python starts it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from projrun.running.shim.on_path.projrun_mlflow_run.request import RequestFile
from projrun.running.shim.on_path.projrun_mlflow_run.runner import Runner
from projrun.tracking.sql.store import SqlStore
from tests.support.projects import write_project

pytestmark = pytest.mark.integration

PROJECT = """
entry_points:
  main: {parameters: {code: {type: float, default: 0}}, command: "exit {code}"}
  waits: {command: "trap 'touch saved; exit 1' INT; touch started; sleep 30 & wait; wait"}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROJRUN_ENV_MANAGER", "local")
    return tmp_path / "home"


def started(folder: Path, **call: Any) -> Runner:
    project = write_project(folder / "project", PROJECT)
    return Runner(sys.executable, RequestFile({"uri": project, **call}), os.environ)


def until_there(file: Path) -> None:
    deadline = time.monotonic() + 120
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def status(home: Path, run_id: str) -> str:
    store = SqlStore.open(home / "projrun.db")
    try:
        return store.get_run(run_id).status
    finally:
        store.close()


def test_it_tells_the_run_and_how_it_ended(home: Path, tmp_path: Path) -> None:
    runner = started(tmp_path, parameters={"code": 3})
    runner.wait_until_told("run_id")
    assert runner.wait() == 3
    assert runner.told["status"] == "FAILED"
    assert runner.told["reason"] == "exit code 3"
    assert status(home, runner.told["run_id"]) == "FAILED"


def test_a_mistake_is_told_before_there_is_a_run(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    runner = started(tmp_path, entry_point="nope")
    runner.wait_until_told("run_id")
    assert runner.wait() == 2
    assert runner.told == {
        "error": "unknown entry point 'nope'; entry points: main, waits; or a .py, .sh or .R file of the project"
    }
    assert "projrun: error: unknown entry point 'nope'" in capfd.readouterr().err


def test_modules_beside_the_driver_are_not_taken_for_projrun_s(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("yaml", "sqlite3", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from the working folder')")
    monkeypatch.chdir(tmp_path)
    assert started(tmp_path).wait() == 0


def test_an_interrupt_is_passed_on_once(home: Path, tmp_path: Path) -> None:
    """The script gets INT, not the TERM that a second one would be."""
    runner = started(tmp_path, entry_point="waits")
    runner.wait_until_told("run_id")
    until_there(tmp_path / "project" / "started")
    runner.interrupt()
    assert runner.wait() == 130
    assert runner.told["status"] == "KILLED"
    assert (tmp_path / "project" / "saved").exists()


def test_an_interrupt_that_came_anyway_is_not_sent_again(home: Path, tmp_path: Path) -> None:
    runner = started(tmp_path, entry_point="waits")
    runner.wait_until_told("run_id")
    until_there(tmp_path / "project" / "started")
    runner.process.send_signal(signal.SIGINT)  # as a terminal does, to the whole group
    runner.interrupt()
    assert runner.wait() == 130
    assert (tmp_path / "project" / "saved").exists()


def test_a_starter_that_has_gone_does_not_end_the_run(home: Path, tmp_path: Path) -> None:
    request = RequestFile({"uri": write_project(tmp_path / "project", PROJECT)})
    runner = Runner(sys.executable, request, os.environ)
    os.close(runner._pipe)
    assert runner.process.wait() == 0
    request.remove()
