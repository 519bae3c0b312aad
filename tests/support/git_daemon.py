"""`git daemon` on loopback: the git:// protocol."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection

from tests.support.ports import free_port

_PATIENCE = 20.0


@contextmanager
def git_daemon(root: Path, environ: Mapping[str, str]) -> Iterator[int]:
    """The port of a daemon that serves the repositories below a folder, inside the `with` block."""
    port = free_port()
    words = ["git", "daemon", "--reuseaddr", "--export-all", f"--base-path={root}", "--listen=127.0.0.1"]
    # git is not the daemon but its parent: both are ended by their group.
    daemon = subprocess.Popen(
        [*words, f"--port={port}", str(root)],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port, daemon)
        yield port
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        daemon.wait()


def _wait_for(port: int, daemon: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and daemon.poll() is None:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("git daemon did not start")
