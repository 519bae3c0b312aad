"""Runs a server for as long as a process that uses it is alive; started as a script by `servers`.

Usage: keeper.py USERS_FOLDER LOG_FILE [--removing FOLDER] COMMAND... — each file in USERS_FOLDER is named by a
process id; FOLDER is removed at the end.
Also with a test process killed by -9 the server ends: nobody need be alive to clean up.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout


def main(users: Path, log: Path, command: list[str]) -> None:
    """Start `command` in a session of its own, wait until nobody uses it, stop all of it."""
    if command[0] == "--removing":
        folder, command = command[1], command[2:]
    else:
        folder = ""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        while server.poll() is None and not _closed(users):
            time.sleep(0.2)
    except FileNotFoundError:  # who used it has removed the folder
        pass
    finally:
        _stop(server)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _closed(users: Path) -> bool:
    """Whether nobody uses the server; its address is then withdrawn, under the lock of who looks for it."""
    if _used(users):
        return False
    try:
        with FileLock(users.parent / "lock", timeout=0):
            if _used(users):
                return False
            (users.parent / "uri").unlink(missing_ok=True)
            return True
    except Timeout:
        return False


def _used(users: Path) -> bool:
    return any(_alive(user) for user in users.iterdir())


def _alive(user: Path) -> bool:
    try:
        os.kill(int(user.name), 0)
    except ProcessLookupError:
        return False
    return True


def _stop(server: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, signum)
            server.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
