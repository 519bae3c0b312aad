"""Running projrun on a pseudo-terminal."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.commands import projrun_argv


def on_a_terminal(
    *arguments: str | Path,
    home: Path,
    columns: int | None = None,
    typed: str = "",
    output: Path | None = None,
    errors: Path | None = None,
) -> str:
    """What projrun writes to a terminal, of a width in characters, where these lines are typed.

    `output` is the file that has its stdout, `errors` the one that has its stderr.
    """
    import pty

    written = bytearray()
    pid, terminal = pty.fork()
    if pid == 0:
        argv = [*projrun_argv(), *map(str, arguments)]
        width = {} if columns is None else {"COLUMNS": str(columns)}
        mine = {"PROJRUN_HOME": str(home), "PROJRUN_ENV_MANAGER": "local", "NO_COLOR": "1"}
        for file, descriptor in ((output, 1), (errors, 2)):
            if file is not None:
                os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
        os.execve(argv[0], argv, {**os.environ, **mine, **width})
    os.write(terminal, typed.encode() + b"\x04")  # who asks for more gets nothing
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
