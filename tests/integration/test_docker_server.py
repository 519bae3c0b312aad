"""`projrun server` in a container, started as docs/deploy/Dockerfile says: no writable root, no user with a name."""

from __future__ import annotations

import re
import site
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.support.docker import BASE_IMAGE, docker_output
from tests.support.guard import REPOSITORY
from tests.test_deploy import docker_words, text

pytestmark = pytest.mark.integration


def test_a_container_serves_keeps_and_ends_in_time(docker_address: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    packages = site.getsitepackages()[0]
    variables = dict(
        re.findall(r"(\w+)=(\S+)", re.findall(r"^ENV (.*)$", text("Dockerfile"), re.MULTILINE)[0])
    )
    assert variables["PROJRUN_SERVER_HOST"] == "0.0.0.0"
    program = [sys.executable, "-m", *docker_words("ENTRYPOINT"), *docker_words("CMD"), "--port", "0"]
    container = docker_output(
        docker_address, "run", "--detach", "--network", "host", "--read-only", "--user", "10001", "--tmpfs", "/tmp",
        "--volume", f"{REPOSITORY}:{REPOSITORY}:ro", "--volume", f"{packages}:{packages}:ro",
        "--volume", f"{data}:/data",
        "--env", f"PYTHONPATH={REPOSITORY}:{REPOSITORY}/backends:{packages}",
        *(word for library in _libraries(packages) for word in ("--volume", f"{library}:{library}:ro")),
        *(word for name, value in variables.items() for word in ("--env", f"{name}={value}")),
        BASE_IMAGE, "python", *program[1:],
    )  # fmt: skip
    try:
        uri = _address(docker_address, container)
        body = Request(f"{uri}/api/2.0/mlflow-artifacts/artifacts/a/b", b"content", method="PUT")
        assert urlopen(body, timeout=60).status == 200
        assert (data / "artifacts" / "a" / "b").exists()
        docker_output(docker_address, "stop", container)
        assert docker_output(docker_address, "inspect", "--format", "{{.State.ExitCode}}", container) == "0"
        with pytest.raises(URLError):
            urlopen(f"{uri}/health", timeout=5)
    finally:
        docker_output(docker_address, "rm", "--force", "--volumes", container)


def _libraries(packages: str) -> set[str]:
    """What the server's compiled modules load: the image has what Python itself loads."""
    modules = [str(file) for name in ("msgspec", "httptools") for file in Path(packages, name).rglob("*.so")]
    done = subprocess.run(["ldd", *modules], capture_output=True, text=True, check=True)
    return set(re.findall(r"=> (/\S+)", done.stdout))


def _address(host: str, container: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        said = docker_output(host, "logs", container)
        if found := re.search(r"listening on (\S+?);", said):
            return found[1]
        if docker_output(host, "inspect", "--format", "{{.State.Running}}", container) != "true":
            break
        time.sleep(0.1)
    raise AssertionError(said)
