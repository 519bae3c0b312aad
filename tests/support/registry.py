"""A private image registry on loopback, Debian's `docker-registry`, with or without a password."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tests.support.commands import require_tool
from tests.support.ports import free_port

USER, PASSWORD = "ada", "swordfish"
# htpasswd's bcrypt of the password.
_ENTRY = "ada:$2b$05$abcdefghijklmnopqrstuupWDwJQeCHYIBQy8WvkVB6ImhZ476YYy\n"


@contextmanager
def image_registry(folder: Path, *, private: bool = False) -> Iterator[str]:
    """The `HOST:PORT` of a registry that keeps its images in `folder`."""
    program = require_tool("docker-registry")
    folder.mkdir()
    address = f"127.0.0.1:{free_port()}"
    configuration: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": address},
    }
    if private:
        (folder / "htpasswd").write_text(_ENTRY)
        configuration["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    file = folder / "config.yml"
    file.write_text(json.dumps(configuration))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", str(file)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        _wait(address, process, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while not _answers(address):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"docker-registry does not start: {log.read_text()}")
        time.sleep(0.05)


def _answers(address: str) -> bool:
    try:
        with urlopen(f"http://{address}/v2/", timeout=5):
            return True
    except HTTPError as error:
        return error.code == 401
    except (URLError, OSError):
        return False
