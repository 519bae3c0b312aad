"""A process that has projrun imported and forks for each command: what `tests.support.warm` talks to.

Run as a file, with the path of the console script and the number of a socket that listens; ends when its standard
input is closed. Every fork is what the console script would be: a process of its own with the given arguments,
environment, working folder and streams. Only the start of Python and the imports are saved.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(
    Path(sys.argv[1]).parent
)  # as in the console script; the modules beside this file hide others

import gc  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import pkgutil  # noqa: E402
import selectors  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import time  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

PACKAGES = ("projrun", "projrun_backends")
NOT_IMPORTED = ("projrun.testing", "projrun.__main__")
ALSO_USED = ("requests", "rich.console", "rich.table", "rich.text", "sqlite3", "virtualenv")


class Request(NamedTuple):
    """One command: what it is given, and the connection on which its end is reported."""

    code: str
    words: list[str]
    environ: dict[str, str]
    folder: str
    umask: int
    streams: list[int]
    connection: socket.socket


def main(script: str, listener: str) -> None:
    """Serve until the standard input ends; in a fork, return as the command's `main` would."""
    import_all()
    gc.collect()
    gc.freeze()
    request = serve(socket.socket(fileno=int(listener)))
    if request is not None:
        become(request)
        followed = follow_path(request.environ.get("PYTHONPATH", ""))
        if request.code:
            run_code(request.code, request.words)
        sys.argv = [script, *request.words]
        if not followed:
            os.execv(script, sys.argv)
        from projrun.cli import main as command

        command()


def run_code(code: str, words: list[str]) -> None:
    """Do what `python -c` does, but the taking apart of all modules that are imported here."""
    sys.argv = ["-c", *words]
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
    sys.stdout.flush()
    os._exit(0)


def import_all() -> None:
    """Import every module of projrun and what its commands use."""
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(NOT_IMPORTED):
                importlib.import_module(module.name)
    for name in ALSO_USED:
        importlib.import_module(name)


def serve(listener: socket.socket) -> Request | None:
    """Fork for each request. Returns its request in the fork, and None at the end in the server."""
    woken, wake = os.pipe()
    for descriptor in (woken, wake):
        os.set_blocking(descriptor, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    running: dict[int, socket.socket] = {}
    selector = selectors.DefaultSelector()
    for source in (0, woken, listener):
        selector.register(source, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if 0 in ready:
            return None
        if woken in ready:
            os.read(woken, 4096)
            reap(running)
        if listener in ready:
            request = receive(listener.accept()[0])
            pid = os.fork()
            if pid == 0:
                selector.close()
                for held in (listener, *running.values()):
                    held.close()
                return request
            for stream in request.streams:
                os.close(stream)
            running[pid] = request.connection
            answer(request.connection, pid)


def receive(connection: socket.socket) -> Request:
    """Read one request to its end."""
    first, streams, _, _ = socket.recv_fds(connection, 65536, 3)
    parts = [first]
    while part := connection.recv(1 << 20):
        parts.append(part)
    fields: dict[str, Any] = json.loads(b"".join(parts))
    return Request(**fields, streams=streams, connection=connection)


def reap(running: dict[int, socket.socket]) -> None:
    """Report the end of every command that has ended."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        connection = running.pop(pid)
        answer(connection, os.waitstatus_to_exitcode(status))
        connection.close()


def answer(connection: socket.socket, number: int) -> None:
    """Send a line with a number; who asked may have gone."""
    try:
        connection.sendall(f"{number}\n".encode())
    except OSError:
        return


def become(request: Request) -> None:
    """Take the place of a process that was started for this request."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
    request.connection.close()
    os.closerange(3, 1024)
    os.umask(request.umask)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environ)
    time.tzset()


def follow_path(python_path: str) -> bool:
    """Search the folders as Python would; False where a module of theirs comes too late, as its name is taken."""
    if not python_path:  # to look at all modules would copy the pages of their names
        return True
    folders = python_path.split(os.pathsep)
    taken = {"sitecustomize", "usercustomize", *sys.modules}
    for folder in folders:
        if not Path(folder).is_dir() or not Path(folder).is_absolute():
            return False
        if not taken.isdisjoint(entry.name.partition(".")[0] for entry in Path(folder).iterdir()):
            return False
    sys.path[1:1] = folders
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
