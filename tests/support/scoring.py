"""The scoring server as a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

START = """
import json, os, pathlib, sys
from projrun.errors import ProjrunError
from projrun.http.serving.listening import listen
from projrun.models.serving.program import serve
from projrun.models.serving.served import ServedModel, ServingOptions
options, *models = sys.argv[1:]
listeners = listen("127.0.0.1", 0)
port = listeners[0].getsockname()[1]
def served(text):
    name, python, folder = text.split("|")
    return ServedModel(name, pathlib.Path(folder), (python,), dict(os.environ), "7" if name == "m" else "")
class Reporter:
    def info(self, text): print("info:", text, file=sys.stderr, flush=True)
    def warning(self, text): print("warning:", text, file=sys.stderr, flush=True)
try:
    ready = lambda: print("ready", port, flush=True)
    serve(list(map(served, models)), ServingOptions(**json.loads(options)), listeners, Reporter(), ready)
except ProjrunError as error:
    print("error:", error.message, flush=True)
    sys.exit(error.exit_code)
"""


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def value(self) -> object:
        """The body's JSON."""
        return json.loads(self.body)


class Scoring(NamedTuple):
    """A server that answers."""

    port: int
    process: subprocess.Popen[str]
    log: Path

    def send(
        self,
        body: bytes | str = b"",
        kind: str | None = "application/json",
        path: str = "/invocations",
        method: str = "POST",
    ) -> Reply:
        """The answer to one request on a connection of its own."""
        return send(self.port, body, kind, path, method)

    def predict(self, *values: object) -> Reply:
        """Of a table with the one column `command`."""
        return self.send(
            json.dumps({"dataframe_split": {"columns": ["command"], "data": [[v] for v in values]}})
        )

    def gauge(self, name: str) -> int:
        """What its metrics say now of the model `m`: `requests_waiting`."""
        text = self.send(path="/metrics", method="GET", kind=None).body.decode()
        (value,) = re.findall(rf'^projrun_model_{name}{{model="m"}} ([0-9.]+)$', text, re.MULTILINE)
        return int(float(value))

    @contextmanager
    def busy(self) -> Iterator[Callable[[], None]]:
        """While a worker of the model `obedient` has a request, until what this gives is called."""
        gate = self.log.with_name("gate")
        with ThreadPoolExecutor(1) as threads:
            held = threads.submit(self.predict, f"wait {gate}")
            wait_until("a worker is asked", gate.with_name("gate.reached").exists)
            try:
                yield gate.touch
            finally:
                gate.touch()
            assert held.result().status == 200


def send(port: int, body: bytes | str, kind: str | None, path: str, method: str) -> Reply:
    """The answer to one request on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, body, {"content-type": kind} if kind is not None else {})
        answer = connection.getresponse()
        return Reply(
            answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        )
    finally:
        connection.close()


def start_scoring(
    python: Path,
    model: Path,
    log: Path,
    more: Mapping[str, tuple[Path, Path]] | None = None,
    **options: object,
) -> subprocess.Popen[str]:
    """The server's process, which writes `ready PORT` once it answers.

    The model is called `m`; `more` are others by their names, each a Python and a folder.
    """
    models = {"m": (python, model), **(more or {})}
    words = [f"{name}|{its_python}|{folder}" for name, (its_python, folder) in models.items()]
    command = [sys.executable, "-c", START, json.dumps(options), *words]
    with log.open("w", encoding="utf-8") as output:
        return subprocess.Popen(
            command,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )


@contextmanager
def scoring_server(python: Path, model: Path, log: Path, **options: Any) -> Iterator[Scoring]:
    """A server of the model in a folder; ended at the end, where it still runs."""
    process = start_scoring(python, model, log, **options)
    assert process.stdout
    with process, process.stdout:
        line = process.stdout.readline()
        assert line.startswith("ready"), f"{line}\n{log.read_text('utf-8')}"
        try:
            yield Scoring(int(line.split()[1]), process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until(what: str, holds: object, seconds: float = 120) -> None:
    """Wait until a function says yes."""
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
