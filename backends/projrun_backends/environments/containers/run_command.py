"""The `docker run` process of a run: its words, what ends it, and how it is concluded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from projrun.environments.protocol import ChildProcess, EnvironmentRequest, Launch
from projrun.project.model import DockerEnv
from projrun.tracking.parent import ENDPOINT_STORE
from projrun_backends.environments.containers.arguments import Arguments
from projrun_backends.environments.containers.credentials import (
    Credentials,
    cloud_credentials,
    tracking_certificates,
)
from projrun_backends.environments.containers.ending import Container, conclude
from projrun_backends.environments.containers.engine import Engine
from projrun_backends.environments.containers.images import Obtained
from projrun_backends.environments.containers.mounts import CODE, Mount, run_mounts, targets, without_targets
from projrun_backends.environments.containers.user import User
from projrun_backends.environments.containers.variables import (
    container_variables,
    pass_variables,
    unproxied,
)
from projrun_backends.environments.containers.words import container_words

# What the client program needs to find the same daemon when it is run with nothing else.
_CLIENT = frozenset(
    {
        "PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH", "DOCKER_API_VERSION", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR",
    }
)  # fmt: skip


class Containment(NamedTuple):
    """All that was decided before the run's own address and id were known."""

    program: Path
    docker: DockerEnv
    volumes: tuple[str, ...]
    arguments: Arguments
    request: EnvironmentRequest
    engine: Engine
    obtained: Obtained
    user: User | None
    network: str


def contain(containment: Containment, launch: Launch) -> ChildProcess:
    """The supervised process. A container that has its name already is what a machine's crash left of this run."""
    engine, program = containment.engine, str(containment.program)
    name = containment.arguments.value("name") or f"projrun-{launch.variables['MLFLOW_RUN_ID']}"
    if containment.arguments.value("name") is None:
        engine.remove_container(name)
    container = Container(name, launch.scratch / "container.id", launch.log_file, containment.obtained.uri)
    variables, mounts = _contents(containment, launch)
    passed = pass_variables(variables, launch.environ, launch.scratch / "container.env")
    argv = (
        *(program, "run", "--init", "--cidfile", str(container.id_file)),
        *_named(containment, container, launch),
        *_user_words(containment),
        *(word for mount in mounts for word in ("--mount", mount.word)),
        *(word for volume in containment.volumes for word in ("--volume", volume)),
        *passed.words,
        *(option.word for option in containment.arguments.options),
        containment.obtained.image.identifier,
        *container_words(launch.command),
    )
    return ChildProcess(
        argv=argv,
        environ=passed.environ,
        end_argv=(program, "rm", "--force", "--volumes", name),
        end_environ={variable: launch.environ[variable] for variable in _CLIENT & launch.environ.keys()},
        conclude=partial(conclude, engine, container),
        warnings=_warnings(containment, variables),
    )


def _named(containment: Containment, container: Container, launch: Launch) -> list[str]:
    words = ["--label", f"projrun.run_id={launch.variables['MLFLOW_RUN_ID']}"]
    if containment.arguments.value("name") is None:
        words += ["--name", container.name]
    if containment.arguments.value("workdir") is None:
        words += ["--workdir", CODE]
    return words


def _user_words(containment: Containment) -> tuple[str, ...]:
    return containment.user.words if containment.user else ()


def _contents(containment: Containment, launch: Launch) -> tuple[dict[str, str], list[Mount]]:
    """The variables and the mounts."""
    request, obtained = containment.request, containment.obtained
    local_store = ENDPOINT_STORE in launch.variables
    certificates = Credentials() if local_store else tracking_certificates(request.environ)
    clouds = cloud_credentials(request.environ) if request.container.pass_credentials else Credentials()
    variables = {
        **(containment.user.variables if containment.user else {}),
        # The first signal goes to every process of the command, as it does without a container (tini(1)).
        "TINI_KILL_PROCESS_GROUP": "1",
        **clouds.variables,
        **certificates.variables,
        **container_variables(containment.docker, containment.arguments, request, launch),
    }
    if "PYTHONUNBUFFERED" in obtained.image.environ:
        variables.setdefault("PYTHONUNBUFFERED", obtained.image.environ["PYTHONUNBUFFERED"])
    variables.update(unproxied(variables, obtained.image.environ, launch))
    mounts = run_mounts(launch, with_project=not obtained.has_code, local_store=local_store)
    taken = targets(containment.volumes, containment.arguments)
    return variables, without_targets([*mounts, *certificates.mounts, *clouds.mounts], taken)


def _warnings(containment: Containment, variables: Mapping[str, str]) -> tuple[str, ...]:
    uri = variables.get("MLFLOW_TRACKING_URI", "")
    if containment.network == "host" or not _is_loopback(uri):
        return ()
    where = urlsplit(uri).netloc.rpartition("@")[2]
    text = f"the command cannot reach the tracking server at {where}, which is this machine's loopback,"
    text += f" from the container's network {containment.network!r}; -A network=host lets it"
    return (text,)


def _is_loopback(uri: str) -> bool:
    host = urlsplit(uri).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
