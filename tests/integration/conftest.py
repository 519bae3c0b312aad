"""Real mlflow clients and servers, of both lines, installed from PyPI into environments of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.sources.git_servers import GitServer, serving
from tests.support.commands import require_tool
from tests.support.docker import docker_daemon
from tests.support.docker_bench import DockerBench
from tests.support.long_history import LongHistory, long_history
from tests.support.postgres import PostgresServer, shared_postgres
from tests.support.servers import mlflow_server
from tests.support.source_bench import Person, new_person
from tests.support.virtualenvs import MLFLOW1, MLFLOW2, MLFLOW3, built_environment
from tests.support.wire import Wire, wire_to


@pytest.fixture(scope="session")
def mlflow3_python() -> Path:
    """A Python with mlflow 3.x and scikit-learn."""
    return built_environment("mlflow3", MLFLOW3)


@pytest.fixture(scope="session")
def mlflow3_users() -> dict[str, str]:
    """The variables with which `mlflow3_python` imports `mlflow.server.auth`, which needs one package more."""
    python = built_environment("flask-wtf", ("flask-wtf>=1.2,<2", "flask>=3,<4"))
    (packages,) = python.parent.parent.glob("lib/python3*/site-packages")
    return {"PYTHONPATH": str(packages)}


@pytest.fixture(scope="session")
def mlflow2_python() -> Path:
    """A Python with mlflow 2.x and scikit-learn."""
    return built_environment("mlflow2", MLFLOW2)


@pytest.fixture(scope="session")
def mlflow1_python() -> Path:
    """A Python with mlflow-skinny 1.30, which imports `mlflow.projects` before it looks for plug-ins."""
    return built_environment("mlflow1", MLFLOW1)


@pytest.fixture(scope="session")
def mlflow3_server(mlflow3_python: Path, shared_folder: Path) -> Iterator[str]:
    """The base URL of a real `mlflow server` 3.x that serves artifacts."""
    with mlflow_server(mlflow3_python, shared_folder / "mlflow3-server") as uri:
        yield uri


@pytest.fixture(scope="session")
def mlflow2_server(mlflow2_python: Path, shared_folder: Path) -> Iterator[str]:
    """The base URL of a real `mlflow server` 2.x that serves artifacts."""
    with mlflow_server(mlflow2_python, shared_folder / "mlflow2-server") as uri:
        yield uri


@pytest.fixture(scope="session")
def postgres_server(shared_folder: Path) -> Iterator[PostgresServer]:
    """A real PostgreSQL."""
    with shared_postgres(shared_folder / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all the processes of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if own.name.startswith("fork-") else own


@pytest.fixture(scope="session")
def docker_address(shared_folder: Path) -> Iterator[str]:
    """DOCKER_HOST of a daemon that has the image `tests.support.docker.BASE_IMAGE`."""
    with docker_daemon(shared_folder) as host:
        yield host


@pytest.fixture
def docker(docker_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerBench]:
    """Projects that run with that daemon. Whatever a test did, no run's container may be left of it."""
    monkeypatch.setenv("DOCKER_HOST", docker_address)
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    bench = DockerBench(docker_address, tmp_path)
    yield bench
    assert bench.containers() == []


@pytest.fixture
def other_user() -> list[str]:
    """Words that make a command run as a user who is not root, but may read root's interpreter."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user; the other tests are another user already")
    capability = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    return [require_tool("setpriv"), "--reuid", "1234", "--regid", "2345", "--clear-groups", *capability]


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody who uses projrun for the first time."""
    person = new_person(tmp_path / "person")
    yield person
    person.end()


@pytest.fixture
def long() -> LongHistory:
    """The repository with 1,000 commits and 200 MB of history."""
    return long_history(os.environ)


@pytest.fixture
def git_server(tmp_path: Path, long: LongHistory) -> Iterator[GitServer]:
    """A git server over HTTP that has the long history as `long.git`."""
    root = tmp_path / "served"
    root.mkdir()
    (root / "long.git").symlink_to(long.path)
    server = GitServer(root, dict(os.environ))
    with serving(server):
        yield server


@pytest.fixture
def wire(git_server: GitServer) -> Iterator[Wire]:
    """The way to that server: everything that a test fetches goes over it, and is counted."""
    with wire_to(git_server.server_address[1]) as wire:
        yield wire


@pytest.fixture(scope="session")
def scoring_models(mlflow3_python: Path, shared_folder: Path) -> Path:
    """A folder with models that mlflow 3 saved, one a folder."""
    root = shared_folder / "scoring-models"
    with FileLock(f"{root}.lock"):
        if not root.exists():
            made = root.with_name("scoring-models-new")
            script = Path(__file__).with_name("scoring_models_script.py")
            subprocess.run([mlflow3_python, script, made], check=True, capture_output=True)
            made.rename(root)
    return root


@pytest.fixture
def light_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers of a scoring server load models without MLflow: they start in a third of the time."""
    monkeypatch.setenv("PROJRUN_MODEL_LOADER", "projrun")


@pytest.fixture(scope="session")
def beside_mlflow3(mlflow3_python: Path) -> tuple[str, ...]:
    """Requirements of what models need, in the versions beside MLflow 3: another pandas has other texts."""
    ask = "import sys; from importlib.metadata import version; print(*(f'{n}=={version(n)}' for n in sys.argv[1:]))"
    packages = ("numpy", "pandas", "pyarrow", "scikit-learn", "skops", "cloudpickle")
    told = subprocess.run([mlflow3_python, "-c", ask, *packages], check=True, capture_output=True, text=True)
    return tuple(told.stdout.split())
