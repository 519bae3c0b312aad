"""The environment manager `docker` passes the conformance kit."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentManager, EnvironmentRequest
from projrun.environments.registry import get_manager
from projrun.project.model import DockerEnv, EnvironmentReference
from projrun.testing.environments import BuildConformance, LockConformance, OptionsConformance
from tests.support.docker import BASE_IMAGE
from tests.support.docker_bench import DockerBench

pytestmark = pytest.mark.integration


class TestDocker(BuildConformance, LockConformance, OptionsConformance):
    def changed(self, lock: str) -> str:
        return re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", lock)

    @pytest.fixture(autouse=True)
    def _daemon(self, docker: DockerBench) -> None:
        """DOCKER_HOST is set."""

    @pytest.fixture
    def manager(self) -> EnvironmentManager:
        return get_manager("docker")

    @pytest.fixture
    def request_of_project(self, _daemon: None, tmp_path: Path) -> EnvironmentRequest:
        return request(tmp_path, DockerEnv(BASE_IMAGE))

    @pytest.fixture
    def broken_request(self, _daemon: None, tmp_path: Path) -> EnvironmentRequest:
        return request(tmp_path, DockerEnv("projrun-tests/nowhere:1"))

    @pytest.fixture
    def wrong_request(self, _daemon: None, tmp_path: Path) -> EnvironmentRequest:
        return request(tmp_path, DockerEnv(BASE_IMAGE, copied_variables=("NOT_SET_HERE",)))


def request(folder: Path, docker: DockerEnv) -> EnvironmentRequest:
    """What the plan asks for a project with that `docker_env`."""
    project = folder / "project"
    project.mkdir()
    return EnvironmentRequest(
        project_directory=project,
        reference=EnvironmentReference("docker_env", docker=docker),
        cache_directory=folder / "cache/environments",
        environ=dict(os.environ),
    )
