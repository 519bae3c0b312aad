"""How a command in a container reaches what it logs to: the endpoint, or another server, in every kind of network."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.docker_bench import DockerBench
from tests.support.ports import free_port

pytestmark = pytest.mark.integration

SAVE = "import os\nopen('uri', 'w').write(os.environ['MLFLOW_TRACKING_URI'])\n"


def test_the_endpoint_listens_on_the_loopback_and_the_gateway_only(docker: DockerBench) -> None:
    docker.project("python wait.py", wait_py=SAVE + "import time\nopen('up', 'w')\ntime.sleep(60)\n")
    process = docker.start()
    try:
        docker.eventually((docker.folder / "project/up").exists, "the container")
        address, _, port = (docker.folder / "project/uri").read_text().split("/")[2].partition(":")
        listening = f":{int(port):04X} 00000000:0000 0A"
        lines = [line for line in Path("/proc/net/tcp").read_text().splitlines() if listening in line]
        found = {".".join(str(byte) for byte in bytes.fromhex(line.split()[1][:8])[::-1]) for line in lines}
        assert found == {"127.0.0.1", address}
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("network", "reached"), [("bridge", True), ("own", True), ("host", True), ("none", False)]
)
def test_the_network_is_the_users_choice(docker: DockerBench, network: str, reached: bool) -> None:
    docker.project("python train.py", train_py="from metrics import log\nlog('loss', 1)\n")
    if network == "own":
        docker.docker("network", "create", "--internal", "projrun-tests-network")
        network = "projrun-tests-network"
    try:
        done = docker.run("-A", f"network={network}")
    finally:
        if network == "projrun-tests-network":
            docker.docker("network", "rm", network)
    assert ("cannot reach the tracking server" in done.stderr) != reached
    assert (done.returncode == 0) == reached
    assert docker.recorded()["metrics"] == ({"loss": 1.0} if reached else {})


def test_a_network_that_is_not_there(docker: DockerBench) -> None:
    docker.project("python x.py")
    done = docker.run("-A", "network=nowhere-at-all")
    assert done.returncode == 4
    assert "network nowhere-at-all not found" in done.stderr
    assert docker.recorded()["status"] == "FAILED"


@pytest.fixture
def file_server(mlflow3_python: Path, tmp_path: Path) -> Iterator[str]:
    """A real mlflow server whose clients write artifacts into a folder of this machine themselves."""
    port = free_port()
    folder = tmp_path / "server"
    folder.mkdir()
    words = [*("--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--no-serve-artifacts")]
    words += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--default-artifact-root",
        f"{folder}/artifacts",
    ]
    with (folder / "log").open("wb") as log:
        environ = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        process = subprocess.Popen(
            [mlflow3_python, "-m", "mlflow", "server", *words],
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    uri = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while not healthy(uri):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def healthy(uri: str) -> bool:
    """Whether an mlflow server answers."""
    try:
        with urlopen(f"{uri}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_artifact_folder_of_another_server_is_mounted(docker: DockerBench, file_server: str) -> None:
    script = (
        "import json, os, urllib.request\n"
        "uri = os.environ['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/get?run_id=' + os.environ['MLFLOW_RUN_ID']\n"
        "run = json.load(urllib.request.urlopen(uri, timeout=60))['run']\n"
        "folder = run['info']['artifact_uri'].removeprefix('file://')\n"
        "os.makedirs(folder, exist_ok=True)\n"
        "said = os.environ['MLFLOW_TRACKING_TOKEN'] + os.environ['MLFLOW_TRACKING_PASSWORD']\n"
        "open(folder + '/made.txt', 'w').write(said)\n"
    )
    docker.project("python make.py", make_py=script)
    kept = Path(os.environ["HOME"], ".mlflow/credentials")
    kept.parent.mkdir()
    kept.write_text("[mlflow]\nmlflow_tracking_username = ada\nmlflow_tracking_password = hush\n")
    environ = {"MLFLOW_TRACKING_URI": file_server, "MLFLOW_TRACKING_TOKEN": "t0ken"}
    done = docker.run("-A", "network=host", environ=environ).check()
    assert "cannot reach" not in done.stderr
    (made,) = (docker.folder / "server/artifacts").rglob("made.txt")
    assert made.read_text() == "t0kenhush"
    unreachable = docker.run(environ=environ)
    assert "cannot reach the tracking server at 127.0.0.1, this machine's loopback" in unreachable.stderr
    assert "-A network=host lets it" in unreachable.stderr
    assert unreachable.returncode == 1
