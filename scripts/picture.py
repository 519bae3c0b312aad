"""Draw docs/images/run.svg: a terminal in which the commands of the README's first example really run."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "example_projects" / "sklearn_elasticnet_wine"
PICTURE = ROOT / "docs" / "images" / "run.svg"
COLUMNS, ROWS = 100, 50
COMMANDS = (
    "projrun plan . -P alpha=0.42",
    "projrun run . -P alpha=0.42",
    "projrun runs list",
)


def output_of(command: str, environ: dict[str, str]) -> str:
    """What a terminal gets from it, as text with escape sequences; exits where it fails."""
    reader, terminal = pty.openpty()
    os.set_inheritable(terminal, True)
    os.system(f"stty rows {ROWS} cols {COLUMNS} < {os.ttyname(terminal)}")  # noqa: S605 - a name of the kernel's
    with subprocess.Popen(
        shlex.split(command), cwd=PROJECT, env=environ, stdin=terminal, stdout=terminal, stderr=terminal
    ) as process:
        os.close(terminal)
        parts: list[bytes] = []
        while True:
            try:
                parts.append(os.read(reader, 65536))
            except OSError:  # the terminal was closed
                break
    os.close(reader)
    if process.returncode:
        sys.exit(f"{command}: exit code {process.returncode}\n{b''.join(parts).decode()}")
    return b"".join(parts).decode().replace("\r\n", "\n")


def main() -> None:
    """The first run, which builds the environment, is not drawn."""
    with tempfile.TemporaryDirectory() as home:
        environ = {
            "HOME": home,
            "PROJRUN_HOME": f"{home}/projrun",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }
        output_of(COMMANDS[1], environ)
        console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
        for command in COMMANDS:
            console.print(Text(f"$ {command}", style="bold"))
            text = output_of(command, environ).replace(home, "~").replace(str(ROOT), "~/projrun")
            console.print(Text.from_ansi(text), end="\n")
    PICTURE.parent.mkdir(exist_ok=True)
    console.save_svg(str(PICTURE), title="projrun")


if __name__ == "__main__":
    main()
