"""What faults are tried on: the same servers and daemons as in the other integration tests."""

from __future__ import annotations

from tests.integration.conftest import docker, docker_address, light_workers, mlflow3_python, shared_folder

__all__ = ["docker", "docker_address", "light_workers", "mlflow3_python", "shared_folder"]
