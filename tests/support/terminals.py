"""Running projrun on a pseudo-terminal."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.commands import projrun_argv


def on_a_terminal(*arguments: str | Path, home: Path) -> str:
    """What projrun writes to a terminal."""
    import pty

    written = bytearray()
    pid, terminal = pty.fork()
    if pid == 0:
        argv = [*projrun_argv(), *map(str, arguments)]
        os.execve(argv[0], argv, {**os.environ, "PROJRUN_HOME": str(home), "PROJRUN_ENV_MANAGER": "local"})
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux: EIO when the other end is closed
            break
        if not chunk:
            break
        written += chunk
    os.close(terminal)
    os.waitpid(pid, 0)
    return written.decode()
