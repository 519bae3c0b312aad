"""The files of docs/deploy/ as their own tools take them: the image is built, compose runs, the manifest is checked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.support.commands import require_tool
from tests.support.debian_images import POSTGRES, PYTHON, make_images
from tests.support.docker import docker_output
from tests.support.virtualenvs import built_environment
from tests.test_deploy import DEPLOY

pytestmark = [pytest.mark.integration, pytest.mark.large]

ADDRESS = "http://127.0.0.1:5000"
# pip in the build finds this machine's way to the index.
OVERRIDE = "services: {server: {build: {network: host}}}\n"


def test_compose_serves_keeps_and_comes_back(docker_address: str, tmp_path: Path) -> None:
    """With a password that no URI could hold as it is."""
    require_tool("docker-compose")
    make_images(docker_address, tmp_path)
    deploy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, deploy)
    (deploy / "override.yaml").write_text(OVERRIDE, encoding="utf-8")
    variables = {
        **os.environ, "DOCKER_HOST": docker_address, "POSTGRES_PASSWORD": "a secret: 100%/@",
        "POSTGRES_IMAGE": POSTGRES, "BASE": PYTHON,
    }  # fmt: skip

    def compose(*words: str) -> None:
        files = ["-f", "compose.yaml", "-f", "override.yaml", "-p", "projrun-tests"]
        subprocess.run(["docker-compose", *files, *words], cwd=deploy, env=variables, check=True)

    try:
        compose("up", "--detach", "--build")
        until(lambda: urlopen(f"{ADDRESS}/health", timeout=5).read() == b"OK")
        create = Request(f"{ADDRESS}/api/2.0/mlflow/experiments/create", b'{"name": "kept"}')
        create.add_header("Content-Type", "application/json")
        assert json.loads(urlopen(create, timeout=60).read()) == {"experiment_id": "1"}
        place = f"{ADDRESS}/api/2.0/mlflow-artifacts/artifacts/1/file"
        assert urlopen(Request(place, b"content", method="PUT"), timeout=60).status == 200
        server = docker_output(docker_address, "ps", "--quiet", "--filter", "name=server")
        state = "{{.State.Health.Status}}"
        until(lambda: docker_output(docker_address, "inspect", "--format", state, server) == "healthy")
        assert docker_output(docker_address, "exec", server, "id", "--user") == "10001"
        compose("down")
        compose("up", "--detach")
        until(lambda: urlopen(place, timeout=5).read() == b"content")
        found = urlopen(f"{ADDRESS}/api/2.0/mlflow/experiments/get?experiment_id=1", timeout=60).read()
        assert json.loads(found)["experiment"]["name"] == "kept"
    finally:
        compose("down", "--volumes", "--rmi", "local")


def test_the_image_needs_no_writable_root(docker_address: str, tmp_path: Path) -> None:
    make_images(docker_address, tmp_path)
    arguments = ["--build-arg", f"BASE={PYTHON}", "--network", "host", "--quiet"]
    image = docker_output(docker_address, "build", *arguments, str(DEPLOY))
    try:
        words = ["run", "--rm", "--read-only", "--tmpfs", "/tmp", "--entrypoint", "projrun", image]
        assert docker_output(docker_address, *words, "version").startswith("projrun ")
        listed = docker_output(docker_address, *words, "runs", "list")
        assert listed == ""
    finally:
        docker_output(docker_address, "rmi", "--force", image)


def test_the_manifest_has_kubernetes_schema() -> None:
    python = built_environment("kubernetes-validate", ["kubernetes-validate>=1.30,<2"])
    command = [str(python.with_name("kubernetes-validate")), "--strict", str(DEPLOY / "kubernetes.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count(" passed ") == 3


def until(condition: Callable[[], bool]) -> None:
    """Wait for it for a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            if condition():
                return
        except (URLError, ConnectionError, TimeoutError):
            pass
        assert time.monotonic() < deadline
        time.sleep(0.2)
