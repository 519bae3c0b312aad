"""From the values of a command line to the request, and the folders of who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.assignments import parse_assignments
from projrun.project.binding import GivenValue
from projrun.running.request import RunRequest
from projrun.settings.options import options_of
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from projrun.settings.options import Command


def build_request(values: Mapping[str, Any], command: Command = "run") -> RunRequest:
    """From the values by keyword, as click gives them; RequestError for what cannot be read."""
    entry_point = values["entry_point"]
    return build_environment_request(values, command)._replace(
        entry_point="main" if entry_point is None else entry_point,
        parameters=_parameters(values["parameters"], values["params_file"]),
        tags=_tags(values.get("tags", ()), values.get("description")),
    )


def _tags(assignments: tuple[str, ...], description: str | None) -> dict[str, str]:
    """The run's own tags; RequestError for what is no KEY=VALUE."""
    found: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise RequestError(f"--tag: {text!r} is not a tag", hint="give KEY=VALUE")
        found[key] = value
    return found if description is None else {**found, "mlflow.note.content": description}


def build_environment_request(values: Mapping[str, Any], command: Command = "environment") -> RunRequest:
    """The same without an entry point, from the values of `environment_options`."""
    given = {option: values[option.keyword] for option in options_of(command) if option.requested}
    return RunRequest(
        uri=values["uri"],
        caller_directory=Path.cwd(),
        version=values["version"],
        options={
            option.name: "1" if option.kind == "flag" else value
            for option, value in given.items()
            if value is not None and value is not False and value != ()
        },
    )


def _parameters(assignments: tuple[str, ...], file: str | None) -> dict[str, GivenValue]:
    given: dict[str, GivenValue] = {}
    if file is not None:
        from projrun.project.reading.parameters_file import read_parameters_file

        given = {
            name: GivenValue(text, "parameters file")
            for name, text in read_parameters_file(Path(file)).items()
        }
    typed = parse_assignments(assignments)
    return {**given, **{name: GivenValue(text, "command line") for name, text in typed.items()}}
