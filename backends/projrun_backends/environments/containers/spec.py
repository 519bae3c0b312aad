"""What a Docker run is made from, once it was checked."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from projrun.project.model import DockerEnv
from projrun_backends.environments.containers.arguments import Arguments
from projrun_backends.environments.containers.lock import ImageLock


class DockerSpec(NamedTuple):
    """What the project and the user ask for, checked."""

    program: Path
    docker: DockerEnv
    volumes: tuple[str, ...]
    arguments: Arguments
    lock: ImageLock | None
