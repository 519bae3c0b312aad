"""What faults are tried on: the same servers and daemons as in the other integration tests."""

from __future__ import annotations

from tests.integration.conftest import docker, docker_address, mlflow3_python, shared_folder, without_mlflow

__all__ = ["docker", "docker_address", "mlflow3_python", "shared_folder", "without_mlflow"]
