"""An interactive shell on a pseudo-terminal, driven as a person does: keys go in, the screen comes out."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

_PROMPT = b"<ready> "
_PATIENCE = 120.0


class Shell:
    """`bash -i` in a folder, with job control and a line editor. Ended with all its jobs when the block ends."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *, columns: int = 80) -> None:
        import pty

        self.pid, self.keyboard = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            for number in (
                signal.SIGINT,
                signal.SIGQUIT,
            ):  # ignored where a shell's background job runs the tests
                signal.signal(number, signal.SIG_DFL)
            settings = {"PS1": _PROMPT.decode(), "TERM": "dumb", "HISTFILE": "", "INPUTRC": os.devnull}
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], {**environ, **settings})
        self.resize(columns)
        self._text = b""
        self.shown(_PROMPT)

    def __enter__(self) -> Shell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        deadline = time.monotonic() + 10
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.01)

    def hang_up(self) -> None:
        """Close the window: the shell and its jobs get HUP."""
        if self.keyboard >= 0:
            os.close(self.keyboard)
            self.keyboard = -1

    def resize(self, columns: int, lines: int = 24) -> None:
        """Make the window another size."""
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys: str) -> None:
        """Press these keys; `\\r` is Enter."""
        os.write(self.keyboard, keys.encode())

    def shown(self, expected: str | bytes) -> str:
        """Wait until that is on the screen; what came before, since the last time."""
        expected = expected.encode() if isinstance(expected, str) else expected
        deadline = time.monotonic() + _PATIENCE
        while expected not in self._text:
            left = deadline - time.monotonic()
            assert left > 0, f"waited for {expected!r}: {self._text!r}"
            if select.select([self.keyboard], [], [], left)[0]:
                self._text += os.read(self.keyboard, 65536)
        before, _, self._text = self._text.partition(expected)
        return before.decode()

    def run(self, line: str) -> str:
        """Type a line, wait for the next prompt; what was shown in between."""
        self.start(line)
        return self.shown(_PROMPT)

    def start(self, line: str) -> None:
        """Type a line, and see it echoed."""
        self.type(f"{line}\r")
        self.shown("\r\n")

    def prompt(self) -> str:
        """Wait for the prompt; what was shown before it."""
        return self.shown(_PROMPT)

    def is_relayed(self) -> bool:
        """Whether a job has the terminal, and takes the keys as they come."""
        raw = not termios.tcgetattr(self.keyboard)[3] & termios.ICANON
        return raw and os.tcgetpgrp(self.keyboard) != self.pid

    def state(self) -> list[object]:
        """How the terminal is set."""
        return termios.tcgetattr(self.keyboard)
