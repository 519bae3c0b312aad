"""The built-in managers of Python environments pass the conformance kit that others subclass."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentManager, EnvironmentRequest
from projrun.environments.registry import get_manager
from projrun.testing.environments import (
    CachedConformance,
    EnvironmentConformance,
    LockConformance,
    OptionsConformance,
)
from projrun_backends.environments.options import ExistingOptions
from tests.backends.environments.python.packages import (
    make_request,
    make_source_tree,
    make_wheel,
    offline,
    write_files,
)
from tests.support.commands import missing, run_command
from tests.support.conda import conda_channel, shared_packages

pytestmark = pytest.mark.integration  # builds real environments


class PythonConformance(CachedConformance, LockConformance):
    """A project with a wheel, a package of its own and a constraint, offline."""

    name: str
    command = 'python -c "import gearbox, sprocket; print(gearbox.VERSION, sprocket.VERSION)"'
    output = "1.0 1.0"

    @pytest.fixture
    def manager(self) -> EnvironmentManager:
        found = get_manager(self.name)
        return found if found.available(os.environ) else missing(f"{self.name} is not installed")

    @pytest.fixture
    def request_of_project(self, tmp_path: Path) -> EnvironmentRequest:
        make_source_tree(tmp_path / "project/gear box", "gearbox")
        return ask(tmp_path, "- sprocket<2", "- ./gear box")

    @pytest.fixture
    def broken_request(self, tmp_path: Path) -> EnvironmentRequest:
        return ask(tmp_path, "- sprocket==9.9")

    @pytest.fixture
    def wrong_request(self, tmp_path: Path) -> EnvironmentRequest:
        return ask(tmp_path, "- {sprocket: 1}")


class TestUv(PythonConformance, OptionsConformance):
    name = "uv"


class TestVirtualenv(PythonConformance, OptionsConformance):
    name = "virtualenv"


class TestConda(CachedConformance, LockConformance, OptionsConformance):
    """Solved and installed by py-rattler, from a channel on this machine."""

    command = "crank; cog; python -c 'import sys; print(sys.prefix in sys.argv[1])' \"$CONDA_PREFIX\""
    output = "crank 1.0\ncog 1.0\nTrue"

    @pytest.fixture
    def manager(self) -> EnvironmentManager:
        return get_manager("conda")

    @pytest.fixture
    def request_of_project(self, tmp_path: Path) -> EnvironmentRequest:
        return ask_conda(tmp_path, "- crank", "- setter")

    @pytest.fixture
    def broken_request(self, tmp_path: Path) -> EnvironmentRequest:
        return ask_conda(tmp_path, "- crank", "- cog>=2")

    @pytest.fixture
    def wrong_request(self, tmp_path: Path) -> EnvironmentRequest:
        return ask_conda(tmp_path, "- {npm: [left-pad]}")


class TestLocal(EnvironmentConformance):
    @pytest.fixture
    def manager(self) -> EnvironmentManager:
        return get_manager("local")

    @pytest.fixture
    def request_of_project(self, tmp_path: Path) -> EnvironmentRequest:
        request = ask(tmp_path, "- sprocket==9.9")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return request._replace(environ={**request.environ, "PATH": path})


class TestExisting(OptionsConformance):
    @pytest.fixture
    def manager(self) -> EnvironmentManager:
        return get_manager("existing")

    @pytest.fixture
    def request_of_project(self, tmp_path: Path) -> EnvironmentRequest:
        run_command([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"]).check()
        return ask(tmp_path, "- sprocket==9.9")._replace(options=ExistingOptions(tmp_path / "venv"))


def ask_conda(folder: Path, *lines: str) -> EnvironmentRequest:
    listed = "".join(f"  {line}\n" for line in lines)
    text = f"channels: ['{conda_channel().as_uri()}']\ndependencies:\n{listed}"
    write_files(folder / "project", {"conda.yaml": text})
    shared_packages(folder / "cache")
    environ = offline(folder / "wheels")
    return make_request(folder / "project", "conda_env", "conda.yaml", environ=environ)


def ask(folder: Path, *lines: str) -> EnvironmentRequest:
    for version in ("1.0", "2.0"):
        make_wheel(folder / "wheels", "sprocket", version)
    listed = "".join(f"  {line}\n" for line in lines)
    write_files(folder / "project", {"python_env.yaml": f"dependencies:\n{listed}"})
    environ = offline(folder / "wheels")
    return make_request(folder / "project", "python_env", "python_env.yaml", environ=environ)
