"""Preparing a Docker run: its image, its network, its user."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import partial
from pathlib import Path

from projrun.directories import make_private
from projrun.environments.protocol import EndpointReach, EnvironmentRequest, PreparedEnvironment, Progress
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.containers.engine import Engine, MissingError
from projrun_backends.environments.containers.images import BuildLog, Obtained, Wanted, obtain
from projrun_backends.environments.containers.lock import NAME as LOCK_NAME
from projrun_backends.environments.containers.network import endpoint_reach, network_name
from projrun_backends.environments.containers.run_command import Containment, contain
from projrun_backends.environments.containers.spec import DockerSpec
from projrun_backends.environments.containers.user import container_user


def prepare(
    spec: DockerSpec, request: EnvironmentRequest, *, rebuild: bool, progress: Progress
) -> PreparedEnvironment:
    """Raises EnvironmentBuildError, with the daemon's last lines."""
    engine = Engine.connect(request.environ)
    user = container_user(spec.arguments, request.environ, rootless=engine.rootless)
    wanted = Wanted(spec.docker.image, spec.arguments, spec.lock, user, rebuild)
    network = network_name(spec.arguments)
    reach = _reach(engine, network, chosen=bool(spec.arguments.values("network")))
    log = BuildLog(progress)
    try:
        obtained = _held(engine, wanted, request, log)
    except EnvironmentBuildError as error:
        error.log = _keep(log, wanted, request)
        raise
    containment = Containment(
        program=spec.program,
        docker=spec.docker,
        volumes=spec.volumes,
        arguments=spec.arguments,
        request=request,
        engine=engine,
        obtained=obtained,
        user=user,
        network=network,
        reach=reach,
    )
    return PreparedEnvironment(
        environ={},
        lock=obtained.lock.text,
        lock_name=LOCK_NAME,
        built=obtained.built,
        build_log=_keep(log, wanted, request) if obtained.built else None,
        tags={"mlflow.docker.image.uri": obtained.uri, "mlflow.docker.image.id": obtained.image.identifier},
        wrap=partial(contain, containment),
        endpoint=reach,
    )


def _held(engine: Engine, wanted: Wanted, request: EnvironmentRequest, log: BuildLog) -> Obtained:
    """The image, which `projrun gc` leaves alone from now on where it is one of `--build-image`."""
    obtained = obtain(engine, wanted, request, log)
    if not obtained.has_code:
        return obtained
    from projrun_backends.environments.containers.kept_images import hold_image

    with suppress(OSError):  # a read-only cache: nothing is removed by it either
        hold_image(request.cache_directory.parent, engine, obtained)
    if engine.image(obtained.image.identifier) is None:  # it was removed at this very moment
        return obtain(engine, wanted, request, log)
    return obtained


def _reach(engine: Engine, network: str, *, chosen: bool) -> EndpointReach | None:
    try:
        return endpoint_reach(engine, network)
    except MissingError:
        if chosen:
            raise
        return None  # a daemon without its usual network


def _keep(log: BuildLog, wanted: Wanted, request: EnvironmentRequest) -> Path | None:
    """The log as a file, one for each image and project."""
    if not log.lines:
        return None
    name = hashlib.sha256(f"{wanted.name}\n{request.project_directory}".encode()).hexdigest()[:16]
    file = request.cache_directory.parent / "images" / f"{name}.log"
    try:
        make_private(file.parent)
        file.write_text("\n".join(log.lines) + "\n", encoding="utf-8")
    except OSError:
        return None  # a full disk or a read-only cache: the image still exists
    return file
