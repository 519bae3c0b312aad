"""The `docker run` process of a run: its words, what ends it, and how it is concluded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from projrun.environments.protocol import (
    METRICS,
    ChildProcess,
    EndpointReach,
    EnvironmentRequest,
    Launch,
)
from projrun.project.model import DockerEnv
from projrun_backends.environments.containers.arguments import Arguments
from projrun_backends.environments.containers.command_words import container_words
from projrun_backends.environments.containers.credentials import (
    Credentials,
    cloud_credentials,
    tracking_certificates,
)
from projrun_backends.environments.containers.ending import Container, conclude
from projrun_backends.environments.containers.engine import Engine
from projrun_backends.environments.containers.images import Obtained
from projrun_backends.environments.containers.mounts import CODE, Mount, run_mounts, targets, without_targets
from projrun_backends.environments.containers.network import LOOPBACK
from projrun_backends.environments.containers.user import User
from projrun_backends.environments.containers.variables import (
    container_variables,
    pass_variables,
    unproxied,
)
from projrun_backends.environments.options import ContainerOptions

# What the client program needs to find the same daemon when it is run with nothing else.
_CLIENT = frozenset(
    {
        "PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH", "DOCKER_API_VERSION", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR",
    }
)  # fmt: skip


# By label: `docker rm NAME` might remove another container, whose name kept this one from being created.
_END = 'ids=$("$0" ps --all --quiet --filter "label=$1") && [ -n "$ids" ] && "$0" rm --force --volumes $ids'


# The keys with which the client detaches are ctrl-p ctrl-q, which line editors and shells need.
_TERMINAL = ("--interactive", "--tty", "--detach-keys=ctrl-@,ctrl-@,ctrl-@")


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
    reach: EndpointReach | None


def contain(containment: Containment, launch: Launch) -> ChildProcess:
    """The supervised process. A container with its label is a leftover of this run after a crash."""
    program = str(containment.program)
    run_id = launch.variables.get("MLFLOW_RUN_ID") or os.urandom(16).hex()
    id_file = launch.scratch / "container.id"
    container = Container(f"projrun.run_id={run_id}", id_file, launch.log_file, containment.obtained.uri)
    id_file.unlink(missing_ok=True)  # docker refuses an existing one
    for leftover in containment.engine.labelled(container.label):
        containment.engine.remove_container(leftover)
    variables, mounts = _contents(containment, launch)
    passed = pass_variables(variables, launch.environ, launch.scratch / "container.env")
    argv = (
        *(program, "run", "--init", "--cidfile", str(id_file), "--label", container.label),
        *_named(containment, run_id),
        *(_TERMINAL if launch.terminal else ()),
        *_user_words(containment),
        *limit_words(containment.arguments, launch),
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
        end_argv=("/bin/sh", "-c", _END, program, container.label),
        end_environ={variable: launch.environ[variable] for variable in _CLIENT & launch.environ.keys()},
        end_function=f"{conclude.__module__}:{conclude.__name__}",
        end_details=container.details(),
        warnings=_warnings(containment, variables),
        passes_keys=launch.terminal,
    )


def _named(containment: Containment, run_id: str) -> list[str]:
    words = []
    if containment.arguments.value("name") is None:
        words += ["--name", f"projrun-{run_id}"]
    if containment.arguments.value("workdir") is None:
        words += ["--workdir", CODE]
    return words


def limit_words(arguments: Arguments, launch: Launch) -> list[str]:
    """`docker run`'s options for the limits; those of -A take precedence."""
    limits = {
        "memory": launch.memory,
        "cpus": f"{launch.cpus:g}" if launch.cpus else "",
        # A field of CSV, whose commas are no separators.
        "gpus": f'"device={",".join(launch.gpus)}"' if launch.gpus else "",
    }
    return [f"--{name}={value}" for name, value in limits.items() if value and arguments.value(name) is None]


def gpu_variables(launch: Launch) -> dict[str, str]:
    """In the container the devices have numbers of their own; with none, a runtime may still show all of them."""
    if launch.gpus is None:
        return {}
    visible = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, range(len(launch.gpus))))}
    return visible if launch.gpus else {**visible, "NVIDIA_VISIBLE_DEVICES": "void"}


def _user_words(containment: Containment) -> tuple[str, ...]:
    return containment.user.words if containment.user else ()


def _contents(containment: Containment, launch: Launch) -> tuple[dict[str, str], list[Mount]]:
    """The variables and the mounts."""
    request, obtained = containment.request, containment.obtained
    certificates = Credentials() if launch.own_endpoint else tracking_certificates(request.environ)
    passed = request.options_as(ContainerOptions).pass_credentials
    clouds = cloud_credentials(request.environ) if passed else Credentials()
    variables = {
        **(containment.user.variables if containment.user else {}),
        # The first signal goes to every process of the command, as it does without a container (tini(1)).
        "TINI_KILL_PROCESS_GROUP": "1",
        # A signal for a group that is not there yet, or no longer, is no line of the command's output: a terminal that
        # is resized in the first moment (tini warns of "Child was dead when forwarding signal").
        "TINI_VERBOSITY": "0",
        **clouds.variables,
        **certificates.variables,
        **container_variables(containment.docker, containment.arguments, request, launch),
        **gpu_variables(launch),
    }
    configured = dict.fromkeys(("NO_PROXY", "no_proxy"), containment.engine.unproxied)
    variables.update(unproxied(variables, {**configured, **obtained.image.environ}, launch))
    mounts = run_mounts(launch, with_project=not obtained.has_code)
    if not any(mount.target == variables.get(METRICS) for mount in mounts):
        variables.pop(METRICS, None)  # the engine may be on another machine
    taken = targets(containment.volumes, containment.arguments)
    return variables, without_targets([*mounts, *certificates.mounts, *clouds.mounts], taken)


def _warnings(containment: Containment, variables: Mapping[str, str]) -> tuple[str, ...]:
    uri = variables.get("MLFLOW_TRACKING_URI", "")
    if containment.reach == LOOPBACK or not _is_loopback(uri):
        return ()
    remedy = "-A network=host lets it"
    if containment.engine.in_virtual_machine:
        remedy = "set MLFLOW_TRACKING_URI in docker_env's `environment`, with the host host.docker.internal"
    elif containment.network == "host":
        remedy = "its daemon has its own network"
    where = f"{urlsplit(uri).hostname}, this machine's loopback, from the container's network"
    return (f"the command cannot reach the tracking server at {where} {containment.network!r}; {remedy}",)


def _is_loopback(uri: str) -> bool:
    host = urlsplit(uri).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
