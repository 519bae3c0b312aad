"""The `projrun` command without the start of Python: a server that has it imported forks for each call.

Two thirds of what a short command takes are the interpreter's start and imports, and the tests run some two
thousand commands. What the process boundary gives stays: memory, environment, streams and exit code of its own.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_SERVER = Path(__file__).with_name("warm_server.py")
_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_")
_TAKEN_OVER = "PYTHONPATH"
"""Read at the start too, but a fork can do what Python would."""

_LONGEST_INPUT = 1 << 15
"""What fits into a pipe on every system, so that it can be written before anybody reads."""


class Ended(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Started:
    """A command that was started; it must be brought to its end."""

    def __init__(self, words: list[str], connection: socket.socket, outputs: tuple[int, int]) -> None:
        self._words = words
        self._outputs = outputs
        with connection:
            self._answers = connection.makefile("rb")
        self.pid = int(self._answers.readline())

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal; only before its end."""
        os.kill(self.pid, number)

    def end(self, timeout: float = 60) -> Ended:
        """Wait for its end. Raises subprocess.TimeoutExpired, after killing it, as `subprocess.run`."""
        with self._answers:
            try:
                stdout, stderr = _read(self._outputs, timeout)
            except TimeoutError:
                self.send_signal(signal.SIGKILL)
                raise subprocess.TimeoutExpired(self._words, timeout) from None
            return Ended(int(self._answers.readline()), stdout, stderr)


class WarmCommand:
    """The server of this process and the commands that it forks; any number of threads may use it."""

    def __init__(self, script: str) -> None:
        self._settings = settings(os.environ)
        self._folder = tempfile.TemporaryDirectory(prefix="projrun-warm-", ignore_cleanup_errors=True)
        self._address = f"{self._folder.name}/socket"
        with socket.socket(socket.AF_UNIX) as listener:  # who connects early waits in its queue
            listener.bind(self._address)
            listener.listen(64)
            self._server = subprocess.Popen(
                [sys.executable, str(_SERVER), script, str(listener.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,  # of the same kind as those of the commands
                pass_fds=[listener.fileno()],
                cwd="/",
            )

    def serves(self, environ: Mapping[str, str], stdin: bytes) -> bool:
        """Whether a fork would be as a new process: what Python reads when it starts must be equal."""
        return settings(environ) == self._settings and len(stdin) <= _LONGEST_INPUT

    def run(
        self, words: Sequence[str], *, environ: Mapping[str, str], folder: Path, stdin: bytes, timeout: float
    ) -> Ended:
        """Run the command to its end. Raises subprocess.TimeoutExpired, after killing it, as `subprocess.run`."""
        return self.start(words, environ=environ, folder=folder, stdin=stdin).end(timeout)

    def start(
        self,
        words: Sequence[str],
        *,
        environ: Mapping[str, str],
        folder: Path,
        stdin: bytes = b"",
        code: str = "",
    ) -> Started:
        """Start the command; with `code`, what `python -c` would be of it."""
        umask = os.umask(0)
        os.umask(umask)
        request = {
            "code": code, "words": words, "environ": dict(environ), "folder": str(folder), "umask": umask
        }  # fmt: skip
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        return Started(list(words), connection, self._send(connection, json.dumps(request).encode(), stdin))

    def _send(self, connection: socket.socket, data: bytes, stdin: bytes) -> tuple[int, int]:
        # Closes its copies of the command's ends of the pipes; the reading ends of its outputs are returned.
        (input_end, feed), (stdout, stdout_end), (stderr, stderr_end) = os.pipe(), os.pipe(), os.pipe()
        os.write(feed, stdin)
        os.close(feed)
        streams = [input_end, stdout_end, stderr_end]
        sent = socket.send_fds(connection, [data], streams)
        connection.sendall(data[sent:])
        connection.shutdown(socket.SHUT_WR)
        for stream in streams:
            os.close(stream)
        return stdout, stderr

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()
        self._folder.cleanup()


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that Python and the dynamic linker read once, when a process starts, and a fork cannot follow."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(_READ_AT_START) and name != _TAKEN_OVER
    }


def _read(outputs: Sequence[int], timeout: float) -> list[bytes]:
    """Read all of them to their ends and close them; TimeoutError where that takes longer."""
    end = time.monotonic() + timeout
    parts: dict[int, list[bytes]] = {output: [] for output in outputs}
    with selectors.DefaultSelector() as selector:
        for output in outputs:
            selector.register(output, selectors.EVENT_READ)
        try:
            while selector.get_map():
                ready = selector.select(end - time.monotonic())
                if not ready and time.monotonic() >= end:
                    raise TimeoutError
                for key, _ in ready:
                    part = os.read(key.fd, 1 << 16)
                    parts[key.fd].append(part)
                    if not part:
                        selector.unregister(key.fd)
        finally:
            for output in outputs:
                os.close(output)
    return [b"".join(parts[output]) for output in outputs]
