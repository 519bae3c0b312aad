"""A real PostgreSQL on loopback, in a temporary folder: one for all processes of a test run, or a test's own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.support.commands import require_tool
from tests.support.ports import free_port

_KEEPER = Path(__file__).with_name("keeper.py")
USER = "projrun"
PASSWORD = "a secret: 100%"
_QUOTED = "a%20secret%3A%20100%25"
# What is written need not survive the machine.
_SETTINGS = ("fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1", "unix_socket_directories=")


class PostgresServer:
    """One server: its folder, which only its user may read, and its port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    @property
    def address(self) -> str:
        """Of its databases, without their names."""
        return f"postgresql://{USER}:{_QUOTED}@127.0.0.1:{self.port}"

    def uri(self) -> str:
        """The URI of a new database."""
        name = f"tests_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        return f"{self.address}/{name}"

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """The rows of a statement, each in a transaction of its own."""
        return run_statement(f"{self.address}/{database}", statement)

    def command(self) -> list[str]:
        """The argv of the server."""
        settings = [word for setting in (*_SETTINGS, f"port={self.port}") for word in ("-c", setting)]
        return [*_as_postgres(), str(_programs() / "postgres"), "-D", str(self.folder), *settings]

    def start(self) -> None:
        """Start it as a child of this process's, and wait for it."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.wait()

    @property
    def pid(self) -> int:
        """Of the server that this process started."""
        return self._process.pid

    def stop(self, signum: int = signal.SIGINT) -> None:
        """End it at once, with all connections (SIGINT; SIGQUIT as a crash)."""
        self._process.send_signal(signum)
        self._process.wait(30)

    def wait(self, timeout: float = 60) -> None:
        """Until it answers."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.execute("SELECT 1")
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


def run_statement(uri: str, statement: str) -> list[Any]:
    """The rows of a statement in a database."""
    import psycopg

    with closing(psycopg.connect(uri, autocommit=True, connect_timeout=5)) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextmanager
def shared_postgres(folder: Path) -> Iterator[PostgresServer]:
    """The server of this test run, whose `folder` all its processes share; started where nobody did it yet."""
    users = folder / "users"
    users.mkdir(parents=True, exist_ok=True)
    me = users / str(os.getpid())
    with FileLock(folder / "lock"):
        me.touch()
        address = folder / "uri"
        if address.exists():
            data, port = address.read_text(encoding="utf-8").split("\n")
            server = PostgresServer(Path(data), int(port))
        else:
            server = new_postgres()
            _keep(server, users)
            address.write_text(f"{server.folder}\n{server.port}", encoding="utf-8")
    try:
        yield server
    finally:
        me.unlink(missing_ok=True)


@contextmanager
def own_postgres() -> Iterator[PostgresServer]:
    """A server that the test may stop and start, and kill."""
    server = new_postgres()
    try:
        server.start()
        yield server
        server.stop()
    finally:
        server._process.kill()
        shutil.rmtree(server.folder)


def new_postgres() -> PostgresServer:
    """The files of a new server, which does not run yet."""
    folder = Path(tempfile.mkdtemp(prefix="projrun-postgres-"))
    password = folder.with_suffix(".password")
    password.write_text(PASSWORD, encoding="utf-8")
    for path in (folder, password):
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")
    words = [
        "--auth=scram-sha-256",
        f"--username={USER}",
        f"--pwfile={password}",
        "--encoding=UTF8",
        "--no-sync",
    ]
    command = [*_as_postgres(), str(_programs() / "initdb"), "--locale=C.UTF-8", *words, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    password.unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    return PostgresServer(folder, free_port())


def _keep(server: PostgresServer, users: Path) -> None:
    words = [str(users), str(users.with_name("server.log")), "--removing", str(server.folder)]
    keeper = subprocess.Popen(
        [sys.executable, str(_KEEPER), *words, *server.command()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    server.wait()
    keeper.returncode = 0  # it may outlive this process, which shall not complain that it still runs


def _as_postgres() -> list[str]:
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


def _programs() -> Path:
    """The folder of PostgreSQL's programs; Debian has one for each version, none of them on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    require_tool("postgres")
    return Path(str(shutil.which("postgres"))).parent


def require_postgres() -> None:
    """Skip the test where no PostgreSQL is; in CI it fails."""
    pytest.importorskip("psycopg") if not os.environ.get("CI") else __import__("psycopg")
    _programs()
