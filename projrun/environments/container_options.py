"""Container options from the Python API, and on their way to the process of an asynchronous run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from projrun.environments.protocol import ContainerOptions
from projrun.errors import RequestError

VARIABLE = "PROJRUN_CONTAINER_OPTIONS"
"""From a caller of the API to the `projrun run` process that it starts; nothing else sets it."""


def from_api(
    docker_args: Mapping[str, object] | None,
    docker_auth: Mapping[str, str] | None,
    *,
    build_image: bool,
    pass_credentials: bool,
) -> ContainerOptions:
    """`docker_args` as MLflow takes them: True is a flag; here a list repeats the option, False omits it."""
    if docker_auth is not None and not all(isinstance(value, str) for value in docker_auth.values()):
        raise RequestError(
            "docker_auth: values must be strings", hint="for example username, password and registry"
        )
    words = tuple(word for name, value in (docker_args or {}).items() for word in _words(name, value))
    return ContainerOptions(words, build_image, pass_credentials, docker_auth)


def _words(name: str, value: object) -> Iterator[str]:
    for one in value if isinstance(value, (list, tuple)) else (value,):
        if one is True:
            yield name
        elif one is not False:
            yield f"{name}={one}"


def variable(options: ContainerOptions) -> dict[str, str]:
    """The options as a variable: a password must not be on a command line."""
    if options == ContainerOptions():
        return {}
    return {VARIABLE: json.dumps([*options[:-1], dict(options.auth or {})])}


def from_variable(text: str) -> ContainerOptions:
    """The options that `variable` wrote."""
    arguments, build_image, pass_credentials, auth = json.loads(text)
    return ContainerOptions(tuple(arguments), build_image, pass_credentials, auth or None)
