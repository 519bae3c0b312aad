"""The servers that are compared: started on loopback, with all that they keep in a folder, and what CPU they take."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.support.virtualenvs import MLFLOW3, built_environment

FASTTRACKML = ("fasttrackml",)
_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ (?:\S+ +){4}(.*)")
"""How the parts of `/proc/PID/smaps` begin: with addresses, and the mapped file at the end."""
_TICK = os.sysconf("SC_CLK_TCK")


class Kept(NamedTuple):
    """A server to start: its name, its argv without a port, and where it keeps what it is given."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    database: str
    kind: str
    """`projrun`, `mlflow` or `fasttrackml`: how a large store is filled."""


class Served(NamedTuple):
    """A server that runs."""

    kept: Kept
    port: int
    pid: int
    healthy_after: float
    """Seconds from its start to its first answer."""
    start: float
    """Seconds of CPU that this took."""

    @property
    def name(self) -> str:
        """As in the table."""
        return self.kept.name

    def cpu(self) -> float:
        """Seconds of CPU that its processes have taken so far."""
        return cpu_of_tree(self.pid)

    def memory(self) -> float:
        """MB that its processes hold (RSS), without pages of a database that is mapped."""
        database = self.kept.database.removeprefix("sqlite:///")
        return sum(_memory_of(pid, database) for pid in process_tree(self.pid))


class Client:
    """One connection to a server, kept."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def begin(self) -> None:
        """Connect at the next call: a server that was left alone for some seconds closes the connection."""
        self._connection.close()

    def post(self, path: str, **body: object) -> Any:
        """The answer to a POST below `/api/2.0/mlflow/`."""
        return self._answer("POST", f"/api/2.0/mlflow/{path}", json.dumps(body).encode())

    def get(self, path: str, *, prefix: str = "/api", **query: object) -> Any:
        """The answer to a GET."""
        return self._answer("GET", f"{prefix}/2.0/mlflow/{path}?{urlencode(query, doseq=True)}", None)

    def _answer(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:300]!r}")
        return json.loads(content)


def cpu_of_tree(pid: int) -> float:
    """Seconds of CPU that a process and its descendants have taken so far."""
    return sum(map(_seconds_of, process_tree(pid)))


def process_tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*"):
            try:
                found += map(int, (task / "children").read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def _seconds_of(pid: int) -> float:
    """Of a process, and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICK


def _memory_of(pid: int, database: str) -> float:
    """Without the pages of a database: the system keeps those, and takes them back when it needs memory."""
    try:
        lines = Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines()
    except OSError:  # it has just ended
        return 0.0
    held, path = 0, ""
    for line in lines:
        if mapping := _MAPPING.match(line):
            path = mapping[1]
        elif line.startswith("Rss:") and path != database:
            held += int(line.split()[1])
    return held * 1024 / 1e6


def on_sqlite(folder: Path) -> list[Kept]:
    """Every server on a SQLite file of its own."""
    mlflow = built_environment("mlflow3", MLFLOW3)
    return [
        _projrun("projrun", f"sqlite:///{folder / 'projrun.db'}", folder),
        _mlflow("mlflow, 1 worker", mlflow, f"sqlite:///{folder / 'mlflow-1.db'}", folder, "1"),
        _mlflow("mlflow, 4 workers", mlflow, f"sqlite:///{folder / 'mlflow-4.db'}", folder, "4"),
        _fasttrackml(f"sqlite:///{folder / 'fasttrackml.db'}"),
    ]


def projrun_on_sqlite(database: Path, folder: Path) -> Kept:
    """Ours alone."""
    return _projrun("projrun", f"sqlite:///{database}", folder)


def mlflow_on_sqlite(database: Path, folder: Path) -> Kept:
    """MLflow alone, with one worker: of four that take over 5 s to start, as on a busy machine, each is ended."""
    return _mlflow("mlflow", built_environment("mlflow3", MLFLOW3), f"sqlite:///{database}", folder, "1")


def on_postgres(folder: Path, database: Callable[[], str]) -> list[Kept]:
    """Every program on a database of its own, which `database` makes; projrun with two workers as well."""
    mlflow = built_environment("mlflow3", (*MLFLOW3, "psycopg2-binary"))
    ours, theirs = database(), database()
    return [
        _projrun("projrun", ours, folder),
        _projrun("projrun, 2 workers", ours, folder, "--workers", "2"),
        _mlflow("mlflow, 1 worker", mlflow, theirs, folder, "1"),
        _mlflow("mlflow, 4 workers", mlflow, theirs, folder, "4"),
        _fasttrackml(database()),
    ]


def _projrun(name: str, uri: str, folder: Path, *options: str) -> Kept:
    argv = [sys.executable, "-m", "projrun", "server", "--backend-store-uri", uri, *options, "--port"]
    environ = {**_environ(), "HOME": str(folder), "PROJRUN_HOME": str(folder / "home")}
    return Kept(name, argv, environ, uri, "projrun")


def _mlflow(name: str, python: Path, uri: str, folder: Path, workers: str) -> Kept:
    argv = [str(python), "-m", "mlflow", "server", "--workers", workers, "--backend-store-uri"]
    argv += [uri.replace("postgresql:", "postgresql+psycopg2:")]
    argv += ["--artifacts-destination", str(folder / "artifacts"), "--port"]
    # Background jobs are eight processes more, of no use here.
    return Kept(name, argv, {**_environ(), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}, uri, "mlflow")


def _fasttrackml(uri: str) -> Kept:
    program = built_environment("fasttrackml", FASTTRACKML).with_name("fml")
    theirs = uri.replace("sqlite:///", "sqlite://").replace("postgresql:", "postgres:")
    argv = [str(program), "server", "--database-uri", theirs, "--listen-address"]
    return Kept("fasttrackml", argv, _environ(), uri, "fasttrackml")


def _environ() -> dict[str, str]:
    """With bytecode: a server that compiles what it imports starts later, and keeps what compiling took."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _search(port: int) -> object:
    return Client(port).post("experiments/search", max_results=1)


@contextmanager
def serving(kept: Kept, folder: Path, ask: Callable[[int], object] = _search) -> Iterator[Served]:
    """Start a server, and end it with all its processes; `ask` raises an error until it answers at that port."""
    port = _free_port()
    place = f"127.0.0.1:{port}" if kept.kind == "fasttrackml" else str(port)
    with (folder / f"{kept.kind}-{port}.log").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [*kept.argv, place], cwd=folder, env=dict(kept.environ), stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            _wait(process, lambda: ask(port), Path(log.name))
            took = time.perf_counter() - began
            yield Served(kept, port, process.pid, took, cpu_of_tree(process.pid))
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait(
    process: subprocess.Popen[bytes], ask: Callable[[], object], log: Path, patience: float = 180
) -> None:
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask()
        except (OSError, RuntimeError, http.client.HTTPException):
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
