"""A `projrun` process that executes one request, and what it tells over a pipe: a JSON object a line."""

import json
import os
import select
import signal
import subprocess
import time

from .request import RequestFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Not `-m`: the caller's folder would come first on the path, and a `yaml.py` in it before PyYAML.
_PROGRAM = (
    "import sys; sys.path = [one for one in sys.path if one]; from projrun.cli.redirected import main; main()"
)
_PATIENCE = 1.0
"""Seconds: for as long a process that an interrupt reached, too, may take to say so."""


class Runner:
    """The process. Its output is this process's; signals to this process's group reach it as well."""

    def __init__(self, python: str, request: RequestFile, environ: "Mapping[str, str]") -> None:
        self.told = {}  # type: dict[str, Any]
        self._interrupts = [0, 0]
        """Those that it has told of, and those that it should have."""
        self._rest = b""
        self._request = request
        self._pipe, writer = os.pipe()
        words = [python, "-c", _PROGRAM, request.path, str(writer)]
        try:
            self.process = subprocess.Popen(words, env=dict(environ), pass_fds=(writer,))
        except BaseException:
            os.close(self._pipe)
            request.remove()
            raise
        finally:
            os.close(writer)
        self._open = True

    def wait_until_told(self, *words: str) -> None:
        """Until it has told one of them, or has ended. An interrupt meanwhile is its end, and raised then."""
        interrupt = None  # type: KeyboardInterrupt | None
        while True:
            try:
                while not any(word in self.told for word in words) and self._listen():
                    pass
                if interrupt is None:
                    return
                self.process.wait()
                break
            except KeyboardInterrupt as error:
                interrupt = error
                self.interrupt()
                words = ()
        raise interrupt

    def wait(self) -> int:
        """Until it has ended; its exit code."""
        self.wait_until_told()
        return self.process.wait()

    def interrupt(self) -> None:
        """Make it end as Ctrl-C does: once, where it has had the terminal's own signal."""
        self._interrupts[1] += 1
        deadline = time.monotonic() + _PATIENCE
        while self._interrupts[0] < self._interrupts[1]:
            left = deadline - time.monotonic()
            if left <= 0:
                self.process.send_signal(signal.SIGINT)
                return
            if not self._listen(left) and not self._open:
                return

    def _listen(self, timeout: "float | None" = None) -> bool:
        """Take in what it tells next; False where that took too long, or it can tell nothing more."""
        if not self._open or not select.select([self._pipe], [], [], timeout)[0]:
            return False
        text = os.read(self._pipe, 65536)
        lines = (self._rest + text).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._take(json.loads(line.decode("ascii")))
        if not text:
            self._open = False
            os.close(self._pipe)
            self._request.remove()
        return self._open

    def _take(self, message: "dict[str, Any]") -> None:
        if message.pop("interrupted", False):
            self._interrupts[0] += 1
        self.told.update(message)
