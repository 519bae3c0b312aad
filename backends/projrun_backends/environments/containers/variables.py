"""The variables of a container: which ones, and how they get there without a value on a command line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.environments.protocol import EnvironmentRequest, Launch
from projrun.errors import RequestError
from projrun.project.model import DockerEnv
from projrun.tracking.rest.logins import PASSWORD, TOKEN, USERNAME, login
from projrun_backends.environments.containers.arguments import Arguments

_OF_THE_RUN = frozenset({"MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID"})
_TRACKING = (USERNAME, PASSWORD, TOKEN, "MLFLOW_TRACKING_INSECURE_TLS", "MLFLOW_TRACKING_AUTH")
"""What the command's client needs for the server that the run is recorded on."""

# What the client program reads itself: a value for the container under these names would mislead it.
_READ_BY_CLIENT = re.compile(
    r"PATH|HOME|TMPDIR|SSH_.*|DOCKER_.*|BUILDKIT_.*|LD_.*|GO.*|SSL_CERT_.*|XDG_.*|(?i:https?|all|no)_proxy"
)


class Passed(NamedTuple):
    """Variables on their way into a container."""

    words: tuple[str, ...]
    """`--env NAME` and `--env-file FILE`."""
    environ: Mapping[str, str]
    """The environment of the client program, which holds the values."""


def check_variables(docker: DockerEnv, arguments: Arguments, request: EnvironmentRequest) -> None:
    """RequestError for a variable to copy that is not set: MLflow's rule, before anything starts."""
    copied = [*docker.copied_variables, *(name for name, value in arguments.variables if value is None)]
    missing = [name for name in copied if name not in request.environ and name not in _OF_THE_RUN]
    if missing:
        location = f"{request.reference.location}: " if request.reference.location else ""
        raise RequestError(
            f"{location}docker_env copies {', '.join(missing)} from this machine, where it is not set",
            hint=f"export {missing[0]}=…, or set it in a file for --env-file",
        )
    for name in [*copied, *(name for name, _ in (*docker.set_variables, *arguments.variables))]:
        if not name or "=" in name or "\0" in name or "\n" in name:
            raise RequestError(f"docker_env: {name!r} is not the name of a variable")


def container_variables(
    docker: DockerEnv, arguments: Arguments, request: EnvironmentRequest, launch: Launch
) -> dict[str, str]:
    """All that is set in the container; later ones override earlier ones, and a pair overrides what projrun sets."""
    caller = request.environ
    variables = {"PYTHONUNBUFFERED": "1"}
    if not launch.own_endpoint:
        variables.update(_taken(_TRACKING, caller))
        username, password = login(caller)
        if username and password:
            variables.update({USERNAME: username, PASSWORD: password})
    variables.update(_taken(docker.copied_variables, caller))
    variables.update(launch.variables)
    variables.update(docker.set_variables)
    for name, value in arguments.variables:
        variables[name] = launch.variables.get(name, caller.get(name, "")) if value is None else value
    return variables


def unproxied(variables: Mapping[str, str], image: Mapping[str, str], launch: Launch) -> dict[str, str]:
    """NO_PROXY with the endpoint's host added to what the image and the project say."""
    host = launch.variables.get("NO_PROXY")
    if host is None:
        return {}
    merged = {}
    for name in ("NO_PROXY", "no_proxy"):
        said = variables.get(name, host)
        others = image.get(name, "") if said == host else said
        hosts = [one for one in others.split(",") if one]
        merged[name] = ",".join(hosts if host in hosts else [*hosts, host])
    return merged


def pass_variables(variables: Mapping[str, str], environ: Mapping[str, str], file: Path) -> Passed:
    """By name, through the client's own environment; those that it would read itself through a file (mode 0600)."""
    in_file = {
        name: value
        for name, value in variables.items()
        if _READ_BY_CLIENT.fullmatch(name) and environ.get(name) != value and "\n" not in value
    }
    by_name = {name: value for name, value in variables.items() if name not in in_file}
    words = [word for name in by_name for word in ("--env", name)]
    if in_file:
        _write(file, (f"{name}={value}\n" for name, value in in_file.items()))
        words += ["--env-file", str(file)]
    return Passed(tuple(words), {**environ, **by_name})


def _write(file: Path, lines: Iterable[str]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.writelines(lines)


def _taken(names: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in names if name in environ}
