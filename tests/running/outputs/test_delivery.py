"""Points go up while the command runs: a real store, the pauses shortened."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from projrun.running import session
from projrun.running.outputs import delivery
from tests.running.test_runner import Workbench
from tests.support.projects import write_project

pytestmark = pytest.mark.processes

SEES = """\
import os, sqlite3, time
print("loss=0.5", flush=True)
with open(os.environ["PROJRUN_METRICS"], "a") as file:
    file.write('{"told": 1}\\n')
connection = sqlite3.connect(os.environ["STORE"], timeout=60)
while {"loss", "told"} - {key for key, in connection.execute("SELECT key FROM series")}:
    time.sleep(0.02)
print("loss=0.25")
"""


def test_points_are_in_the_store_while_the_command_runs_and_come_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_LONG", 0.05)
    monkeypatch.setattr(delivery, "_PAUSE", 0.02)
    bench = Workbench(tmp_path)
    bench.environ["STORE"] = str(bench.home / "projrun.db")
    command = shlex.quote(f"{sys.executable} -S sees.py")
    outputs = r"{metrics: ['loss=(?P<loss>\S+)']}"
    text = f"entry_points: {{main: {{command: {command}, outputs: {outputs}}}}}"
    write_project(bench.project, text, sees_py=SEES)
    assert bench.execute(bench.plan()).outcome.status == "FINISHED"
    (run,) = bench.runs()
    assert {(one.key, one.value, one.step) for one in run.metrics} == {("loss", 0.25, 1), ("told", 1, 0)}
    assert bench.heard.warnings == []
