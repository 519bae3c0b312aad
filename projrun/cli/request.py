"""From the values of a command line to the request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from projrun.directories import Directories
from projrun.environments.protocol import ContainerOptions
from projrun.project.binding import GivenValue
from projrun.running.plan import SUBMITTED_URI, Request
from projrun.settings import Settings
from projrun.settings.options import Command, options_of


def build_request(values: Mapping[str, Any], command: Command = "run") -> Request:
    """From the values by keyword, as click gives them; RequestError for what cannot be read."""
    return _request(values, command)._replace(
        entry_point="main" if values["entry_point"] is None else values["entry_point"],
        parameters=_parameters(values["parameters"], values["params_file"]),
        rebuild_environment=values["rebuild_env"],
        container=_container_options(values),
    )


def _container_options(values: Mapping[str, Any]) -> ContainerOptions:
    handed_over = os.environ.get("PROJRUN_CONTAINER_OPTIONS")
    if handed_over:
        from projrun.environments.container_options import from_variable

        return from_variable(handed_over)
    return ContainerOptions(
        tuple(values["docker_args"]), values["build_image"], pass_credentials=values["pass_credentials"]
    )


def build_environment_request(values: Mapping[str, Any]) -> Request:
    """The same from the values of `environment_options`."""
    return _request(values, "environment")


def _settings(values: Mapping[str, Any], command: Command) -> dict[str, str | None]:
    given = {option: values[option.keyword] for option in options_of(command) if option.setting}
    return {
        option.name: ("1" if value else None) if option.kind == "flag" else value
        for option, value in given.items()
    }


def _request(values: Mapping[str, Any], command: Command) -> Request:
    environ = with_env_file(os.environ, values["env_file"])
    directories = Directories.locate(environ)
    handed_over = environ.pop(SUBMITTED_URI, None)  # which no other process is to see
    return Request(
        uri=handed_over or values["uri"],
        settings=Settings(_settings(values, command), environ, directories.config),
        directories=directories,
        environ=environ,
        caller_directory=Path.cwd(),
        version=values["version"],
    )


def _parameters(assignments: tuple[str, ...], file: str | None) -> dict[str, GivenValue]:
    from projrun.project.assignments import parse_assignments

    given: dict[str, GivenValue] = {}
    if file is not None:
        from projrun.project.parameters_file import read_parameters_file

        given = {
            name: GivenValue(text, "parameters file")
            for name, text in read_parameters_file(Path(file)).items()
        }
    typed = parse_assignments(assignments)
    return {**given, **{name: GivenValue(text, "command line") for name, text in typed.items()}}


def with_env_file(environ: Mapping[str, str], file: str | None) -> dict[str, str]:
    """The environment with an env-file's variables under it: variables already set take precedence, as in uv."""
    if file is None:
        return dict(environ)
    from dotenv import dotenv_values

    from projrun.errors import RequestError

    try:
        with Path(file).open(encoding="utf-8") as stream:
            values = dotenv_values(stream=stream)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RequestError(f"--env-file: {file}: {reason}", hint="give a file of NAME=VALUE lines") from None
    return {**{name: value for name, value in values.items() if value is not None}, **environ}
