"""How long a call of a run's command takes with `--tracking-buffer`, while its server is well and while it fails.

Usage: scripts/bench buffer [--calls N]

Linux only: how long the threads of both sides waited for a core is read from /proc. On a machine that others keep busy,
that is most of what a slow call took.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (
    None,
    "",
):  # run as a file: the packages beside this folder, and no module in it, are importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.targets import mark_of
from benchmarks.timing import progress
from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import projrun_argv
from tests.support.faulty import faulty
from tests.support.projects import python_project

GOAL = 50.0
"""Milliseconds that a call may hold the command, waiting for a core left aside."""
FAULTS = ("", "frozen", "down", "500")
SCRIPT = """\
import http.client, json, os, time, urllib.parse
from pathlib import Path

address = urllib.parse.urlsplit(os.environ["MLFLOW_TRACKING_URI"])
connection = http.client.HTTPConnection(address.hostname, address.port)
runner = os.getppid()
while b"projrun" not in Path(f"/proc/{runner}/cmdline").read_bytes():
    runner = int(Path(f"/proc/{runner}/stat").read_text().rpartition(")")[2].split()[1])
def waited():
    found = Path("/proc/self/schedstat").read_text().split()[1:2]
    for task in Path(f"/proc/{runner}/task").iterdir():
        try:
            found += (task / "schedstat").read_text().split()[1:2]
        except OSError:
            pass
    return sum(map(int, found)) / 1e6
calls = []
for step in range(int(os.environ["CALLS"]) + 1):
    metrics = [{"key": "loss", "value": 1 / (step + 1), "timestamp": step, "step": step}]
    body = json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], "metrics": metrics})
    before, began = waited(), time.perf_counter()
    path = f"{address.path}/api/2.0/mlflow/runs/log-batch"
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    took = (time.perf_counter() - began) * 1000
    assert answer.status == 200, content
    calls.append((took, max(took - (waited() - before), 0.0)))
    time.sleep(0.01)
Path(os.environ["CALLS_FILE"]).write_text(json.dumps(calls[1:]))  # the first one waits for the endpoint's start
"""


class Calls(NamedTuple):
    """What one run's calls took, in milliseconds, sorted."""

    took: list[float]
    own: list[float]
    """Without what the client and the runner's threads waited for a core."""

    def line(self, fault: str) -> str:
        """For people."""
        median, most = self.took[len(self.took) // 2], self.took[-1]
        p99 = self.took[int(len(self.took) * 0.99)]
        mark = mark_of(self.own[-1] <= GOAL)
        name = fault or "works"
        return (
            f"  {mark} server {name:8} median {median:6.1f} ms, p99 {p99:6.1f}, most {most:6.1f};"
            f" without waiting for a core at most {self.own[-1]:.1f}, goal {GOAL:g}"
        )


def measure(fault: str, calls: int) -> Calls:
    """One run, whose server gets `fault` in the middle of it."""
    with tempfile.TemporaryDirectory(prefix="projrun-benchmark-") as temporary:
        folder = Path(temporary)
        project = python_project(folder / "project", SCRIPT)
        (folder / "server").mkdir()
        upstream = Endpoint.open(lambda: SqlStore.open(folder / "server" / "projrun.db"))
        with upstream, faulty(upstream.uri_at("127.0.0.1")) as server:
            environ = _environ(folder, server.uri, calls)
            words = [*projrun_argv(), "run", str(project)]
            began = time.monotonic()
            with (folder / "output").open("wb") as output:
                run = subprocess.Popen(words, env=environ, stdout=output, stderr=output)
            while run.poll() is None and time.monotonic() < began + 1 + calls * 0.006:
                time.sleep(0.05)
            server.fault = fault
            run.wait(600)
            server.recover()
        file = folder / "calls.json"
        if not file.exists():
            raise RuntimeError((folder / "output").read_text(errors="replace")[-3000:])
        pairs = json.loads(file.read_text())
    return Calls(sorted(took for took, _ in pairs), sorted(own for _, own in pairs))


def _environ(folder: Path, uri: str, calls: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "HOME": str(folder),
        "PROJRUN_HOME": str(folder / "home"),
        "PROJRUN_CACHE_DIR": str(folder / "cache"),
        "PROJRUN_ENV_MANAGER": "local",
        "PROJRUN_END_TIMEOUT": "2",
        "PROJRUN_TRACKING_URI": uri,
        "PROJRUN_TRACKING_BUFFER": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "CALLS": str(calls),
        "CALLS_FILE": str(folder / "calls.json"),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=500, help="calls of each run (default: 500)")
    calls = parser.parse_args(arguments).calls
    lines = []
    for fault in FAULTS:
        progress(f"server: {fault or 'works'}")
        lines.append(measure(fault, calls).line(fault))
    print("\n".join([f"{calls} calls of a buffered run for each server, {os.cpu_count()} CPUs", "", *lines]))


if __name__ == "__main__":
    main()
