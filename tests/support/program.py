"""`projrun server` as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple


class Program(NamedTuple):
    """A server that answers."""

    uri: str
    process: subprocess.Popen[str]
    log: Path
    """What it has said."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.uri.rpartition(":")[2])


@contextmanager
def projrun_server(
    folder: Path,
    *options: str,
    environ: Mapping[str, str] | None = None,
    port: int = 0,
    first: str = "",
) -> Iterator[Program]:
    """A server of the store in `folder`, on a free port; killed at the end where it still runs.

    `first` is Python that its process runs before anything else.
    """
    log = folder / "server.log"
    start = ["-c", f"{first}\nfrom projrun.cli import main\nmain()"] if first else ["-m", "projrun"]
    command = [sys.executable, *start, "server", "--port", str(port), *options]
    variables = {**os.environ, "PROJRUN_HOME": str(folder), **(environ or {})}
    with log.open("w", encoding="utf-8") as output:
        process = _started(command, folder, variables, output)
    try:
        yield Program(_address(process, log), process, log)
    finally:
        process.kill()
        process.wait()


def _started(
    command: list[str], folder: Path, variables: Mapping[str, str], output: IO[str]
) -> subprocess.Popen[str]:
    # In its own folder: artifacts of a store in PostgreSQL are kept below where the server was started.
    return subprocess.Popen(
        command,
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        text=True,
    )


def _address(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8")
        if found := re.search(r"listening on (https?://\S+?)[,;]", text):
            return found[1]
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}: {text}")
        time.sleep(0.02)
    raise AssertionError(f"the server does not say where it listens: {log.read_text(encoding='utf-8')}")
