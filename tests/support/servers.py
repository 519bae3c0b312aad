"""Real `mlflow server`s on loopback, one for all processes of a test run, stopped when the last has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from filelock import FileLock

from tests.support.ports import free_port

_KEEPER = Path(__file__).with_name("keeper.py")


@contextmanager
def mlflow_server(python: Path, folder: Path) -> Iterator[str]:
    """The base URL of the server whose files are in `folder`; started where nobody did it yet.

    `python` is an interpreter that has mlflow. Artifacts are served by the server.
    """
    users = folder / "users"
    users.mkdir(parents=True, exist_ok=True)
    me = users / str(os.getpid())
    with FileLock(folder / "lock"):
        me.touch()
        uri = _running(folder) or _start(python, folder)
    try:
        yield uri
    finally:
        me.unlink(missing_ok=True)


def _running(folder: Path) -> str | None:
    address = folder / "uri"
    uri = address.read_text(encoding="utf-8") if address.exists() else None
    return uri if uri and healthy(uri) else None


def _start(python: Path, folder: Path) -> str:
    uri = f"http://127.0.0.1:{free_port()}"
    command = server_command(python, folder, uri)
    # The server's background jobs are eight processes more, of no use here.
    environ = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    keeper = subprocess.Popen(
        [sys.executable, str(_KEEPER), str(folder / "users"), str(folder / "server.log"), *command],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _wait_until_healthy(uri, keeper, folder / "server.log")
    keeper.returncode = 0  # it may outlive this process, which shall not complain that it still runs
    (folder / "uri").write_text(uri, encoding="utf-8")
    return uri


def server_command(python: Path, folder: Path, uri: str) -> list[str]:
    """The argv of a small `mlflow server` that keeps everything in `folder`."""
    port = uri.rpartition(":")[2]
    return [
        *(str(python), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--artifacts-destination", str(folder / "artifacts")),
    ]


def _wait_until_healthy(uri: str, keeper: subprocess.Popen[bytes], log: Path, timeout: float = 120) -> None:
    deadline = time.monotonic() + timeout
    while not healthy(uri):
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"mlflow server did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.1)


def healthy(uri: str) -> bool:
    """Whether a server answers."""
    try:
        with urlopen(f"{uri}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
