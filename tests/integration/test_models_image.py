"""A model as an image: built by the real Docker, run as cloud hosts run it, and asked over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import require_tool, run_projrun
from tests.support.docker import PYTHON_IMAGE, import_image
from tests.support.docker_bench import DockerBench

pytestmark = pytest.mark.integration

DOUBLER = """\
import os

def _load_pyfunc(path):
    return Doubler()

class Doubler:
    def predict(self, given):
        return given * 2
"""
MLMODEL = """\
flavors:
  python_function: {{loader_module: doubler, code: code, python_version: {python}}}
saved_input_example_info: {{artifact_path: example.json}}
"""
SECRET = "hush.example"
BODY = b'{"inputs": [[1, 2], [3, 4]]}'


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that needs NumPy, readable only by its owner."""
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    (folder / "code/doubler.py").write_text(DOUBLER)
    (folder / "code/doubler.py").chmod(0o600)
    (folder / "MLmodel").write_text(MLMODEL.format(python="{}.{}.{}".format(*sys.version_info[:3])))
    (folder / "requirements.txt").write_text("numpy\n")
    (folder / "example.json").write_bytes(BODY)
    return folder


@pytest.fixture
def image(docker: DockerBench, model: Path, tmp_path: Path) -> Iterator[str]:
    """The name of its image, which takes a minute."""
    import_image(require_tool("docker"), docker.host, PYTHON_IMAGE, installs=True)
    name = f"projrun-tests/{tmp_path.name.lower()}:1"
    words = ("-m", model, "--name", name, "--base-image", PYTHON_IMAGE, "-A", "network=host")
    done = run_projrun("models", "build-image", *words, environ={"PIP_TRUSTED_HOST": SECRET}, timeout=900)
    assert done.check().stdout == f"{name}\n"
    yield name
    docker.docker("rmi", "--force", name)


@pytest.fixture
def served(docker: DockerBench, image: str) -> Iterator[str]:
    """The id of a container that was started as cloud hosts do, on a disk that is not writable."""
    container = docker.docker(
        "run", "--detach", "--read-only", "--publish", "127.0.0.1::8080", image, "serve"
    )
    yield container
    docker.docker("rm", "--force", container)


def ask(docker: DockerBench, container: str, path: str, body: bytes | None = None) -> bytes:
    address = docker.docker("port", container, "8080/tcp").splitlines()[0]
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{address}{path}", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


def answers(docker: DockerBench, container: str) -> bool:
    try:
        return ask(docker, container, "/ping") is not None
    except OSError:
        return False


def test_the_image_serves_on_8080_without_rights_and_without_secrets(
    docker: DockerBench, image: str, served: str
) -> None:
    docker.eventually(lambda: answers(docker, served), "the model")
    assert json.loads(ask(docker, served, "/invocations", BODY)) == {"predictions": [[2, 4], [6, 8]]}
    assert docker.docker("exec", served, "id", "-u") == "10001"
    check = json.loads(docker.docker("inspect", "--format", "{{json .Config.Healthcheck.Test}}", image))
    docker.docker("exec", served, *check[1:])  # fails where the check does
    docker.docker("stop", "--time", "30", served)
    assert docker.docker("inspect", "--format", "{{.State.ExitCode}}", served) == "0"
    assert SECRET not in docker.docker("history", "--no-trunc", image) + docker.docker("inspect", image)
    sizes = [int(docker.docker("inspect", "--format", "{{.Size}}", name)) for name in (image, PYTHON_IMAGE)]
    assert sizes[0] - sizes[1] < 180e6
    words = ["docker", "--host", docker.host, "run", "--rm", "--interactive", image, "predict"]
    done = subprocess.run(words, input=BODY, capture_output=True, check=True)
    assert json.loads(done.stdout) == {"predictions": [[2, 4], [6, 8]]}
    shown = docker.docker("run", "--rm", image, "check")
    assert "packages     all 1 of requirements.txt are there" in shown
    assert "example      example.json: 2 predictions" in shown


def test_a_build_that_fails_says_where_to_look(docker: DockerBench, model: Path) -> None:
    words = ("-m", model, "--name", "projrun-tests/absent:1", "--base-image", "projrun-tests/absent")
    done = run_projrun("models", "build-image", *words)
    assert done.returncode == 4
    assert "the image projrun-tests/absent:1 could not be built: docker ended with 1" in done.stderr
    assert "projrun-tests/absent" in done.stderr.partition("projrun: error")[0]  # Docker's own words
