"""Real shells, in which somebody presses Tab."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.commands import projrun_argv, require_tool

_PATIENCE = 60.0
_BEGIN = {
    "bash": "PS1='> '; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'",
    "zsh": "PS1='> '; bindkey -e; unsetopt beep; autoload -U compinit; compinit -u -d {folder}/dump",
}
_WORDS = {"bash": ("--norc", "--noprofile", "-i"), "zsh": ("-f", "-i")}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._seen = ""

    def type(self, text: str) -> None:
        """As a person does."""
        os.write(self._terminal, text.encode())

    def wait(self, pattern: str) -> str:
        """Read until the screen matches; what was read. Raises AssertionError after a minute, with all of it."""
        until = time.monotonic() + _PATIENCE
        while not re.search(pattern, self._seen):
            ready, _, _ = select.select([self._terminal], [], [], max(until - time.monotonic(), 0))
            assert ready, f"never saw {pattern!r} in {self._seen!r}"
            self._seen += os.read(self._terminal, 65536).decode(errors="replace")
        seen, self._seen = self._seen, ""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x07", "", seen)

    def line(self, typed: str) -> str:
        """The line after Tab, as the shell would run it."""
        # Each line becomes the words of a function, which prints them.
        self.type(f"{typed}\t")
        self.type("\x01show \x05\r")
        return re.search(r"<<(.*)>>", self.wait(r"<<[^\n]*>>"))[1]  # type: ignore[index]


@contextmanager
def shell(name: str, folder: Path) -> Iterator[Shell]:
    """bash or zsh in a folder, with projrun's completion."""
    program = require_tool(name)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        path = f"{Path(projrun_argv()[0]).parent}:{os.environ['PATH']}"
        mine = {"PATH": path, "TERM": "dumb", "COLUMNS": "400", "PROMPT_COMMAND": ""}
        os.execve(program, [program, *_WORDS[name]], {**os.environ, **mine})
    try:
        started = Shell(terminal)
        started.type(f"{_BEGIN[name].format(folder=folder)}\r")
        started.type('show() {{ printf "<""<%s>"">\\n" "$*"; }}\r'.replace("{{", "{").replace("}}", "}"))
        started.type(f'eval "$(projrun completion {name})"; echo set""up\r')
        started.wait("setup")
        yield started
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def fish_offers(line: str, folder: Path) -> list[str]:
    """What fish itself would offer at the end of a line."""
    program = require_tool("fish")
    code = "projrun completion fish | source; complete -C $argv[1]"
    path = f"{Path(projrun_argv()[0]).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [program, "--no-config", "-c", code, line], cwd=folder, env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=True, timeout=_PATIENCE,
    )  # fmt: skip
    return [offered.split("\t")[0] for offered in done.stdout.splitlines()]
