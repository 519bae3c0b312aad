"""A Docker daemon for the tests: the machine's own, else a private one that is gone with the last test process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from tests.support.commands import missing, require_tool

BASE_IMAGE = "projrun-tests/base:latest"
"""Python and busybox; no bash."""
PYTHON_IMAGE = "projrun-tests/python:latest"
"""The same with pip."""

_KEEPER = Path(__file__).with_name("keeper.py")

# The keeper ends its command's whole group with TERM, and KILL five seconds later: who clears up is not in it.
_DAEMON = """\
setsid sh -c '
    while kill -0 "$0" 2>/dev/null; do sleep 0.2; done
    umount "$1"/exec/netns/* 2>/dev/null  # what a host network leaves mounted
    rm -rf -- "$1"
' $$ "$1" &
shift
exec "$@"
"""


@contextmanager
def docker_daemon(shared: Path) -> Iterator[str]:
    """DOCKER_HOST of a daemon that has BASE_IMAGE. `shared` is a folder of all processes of this test run."""
    docker = require_tool("docker")
    folder = shared / "docker"
    users = folder / "users"
    users.mkdir(parents=True, exist_ok=True)
    me = users / str(os.getpid())
    with FileLock(folder / "lock"):
        me.touch()
        host = _running(docker, folder) or _start(docker, folder)
        import_image(docker, host, BASE_IMAGE)
    try:
        yield host
    finally:
        me.unlink(missing_ok=True)


def _running(docker: str, folder: Path) -> str | None:
    address = folder / "uri"
    default = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    host = address.read_text(encoding="utf-8") if address.exists() else default
    return host if _answers(docker, host) else None


def _answers(docker: str, host: str) -> bool:
    done = subprocess.run(
        [docker, "--host", host, "info", "--format", "{{.ServerVersion}}"], capture_output=True, check=False
    )
    return done.returncode == 0


def _start(docker: str, folder: Path) -> str:
    if os.getuid() != 0:
        missing("no Docker daemon answers, and only root can start one")
    daemon = require_tool("dockerd")
    # In /tmp: a socket's path has 107 characters at most.
    place = Path(tempfile.mkdtemp(prefix="projrun-docker-"))
    host = f"unix://{place}/docker.sock"
    command = [daemon, "--host", host, "--data-root", f"{place}/data", "--exec-root", f"{place}/exec"]
    command += ["--pidfile", f"{place}/pid", "--shutdown-timeout", "2", "--ip6tables=false"]
    keeper_words = [sys.executable, str(_KEEPER), str(folder / "users"), str(folder / "docker.log")]
    keeper = subprocess.Popen(
        [*keeper_words, "sh", "-c", _DAEMON, "sh", str(place), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not _answers(docker, host):
        if keeper.poll() is not None or time.monotonic() > deadline:
            log = (folder / "docker.log").read_text(encoding="utf-8", errors="replace")
            missing(f"dockerd does not start: {log[-2000:]}")
        time.sleep(0.1)
    keeper.returncode = 0  # it may outlive this process, which shall not complain that it still runs
    Path(host.removeprefix("unix://")).chmod(0o666)  # for the tests that are another user
    (folder / "uri").write_text(host, encoding="utf-8")
    return host


def import_image(docker: str, host: str, name: str, *, installs: bool = False) -> None:
    """Give the daemon BASE_IMAGE or, with `installs`, PYTHON_IMAGE, where it does not have it."""
    from tests.support.docker_image import write_base

    if docker_output(host, "images", "--quiet", name):
        return
    busybox = require_tool("busybox")
    with tempfile.TemporaryFile() as content:
        write_base(Path(busybox), content, installs=installs)
        content.seek(0)
        subprocess.run(
            [docker, "--host", host, "import", "--change", "ENV PATH=/usr/bin:/bin", "-", name],
            stdin=content,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def docker_output(host: str, *words: str) -> str:
    """What a docker command prints; CalledProcessError where it fails."""
    docker = shutil.which("docker") or "docker"
    done = subprocess.run([docker, "--host", host, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()
