"""Reading a project's folder into a Project; every mistake in the MLproject file has a line and a column."""

from __future__ import annotations

import os
from pathlib import Path

from projrun.errors import RequestError
from projrun.project import nodes
from projrun.project.document import read_document
from projrun.project.environment_reader import default_environment, read_environment
from projrun.project.files import FILE_NAME, find_mlproject, look_alike
from projrun.project.model import EntryPoint, EnvironmentReference, Project
from projrun.project.nodes import Entry
from projrun.project.parameter_reader import read_parameters
from projrun.project.report import Report


def load_project(directory: Path) -> Project:
    """Read the project in a folder; a folder with no MLproject file is one too, its files run as scripts.

    Unknown keys are ignored, as in MLflow. Raises RequestError: `MLproject:7:13: …`, with the source line.
    """
    directory = real_directory(directory)
    file = find_mlproject(directory)
    if file is None:
        return _plain_project(directory)
    return read_project(file, Report(read_document(file, file.name)))


def real_directory(directory: Path) -> Path:
    """A project folder's real path; RequestError if it is missing or not a folder."""
    try:
        real = Path(os.path.realpath(directory))
        if real.is_dir():
            return real
        problem = "is not a folder" if real.exists() else "does not exist"
    except (OSError, ValueError):
        problem = "cannot be read"
    raise RequestError(
        f"the project folder {str(directory)!r} {problem}", hint=f"name the folder that holds {FILE_NAME}"
    )


def read_project(file: Path, report: Report) -> Project:
    """The Project that a parsed MLproject file describes; mistakes go to `report`."""
    document = report.document
    found = nodes.entries(document.root, document.name, report)
    try:
        environment = read_environment(file.parent, found, report)
    except RequestError as error:
        report.failed(error)
        environment = EnvironmentReference("none")
    return Project(
        directory=file.parent,
        name=nodes.text(found.get("name"), "name", report),
        file=file,
        environment=environment,
        entry_points=_entry_points(found.get("entry_points"), report),
    )


def _plain_project(directory: Path) -> Project:
    misnamed = look_alike(directory)
    warnings = (f"{misnamed} is not read: the file must be called {FILE_NAME}",) if misnamed else ()
    return Project(directory, None, None, default_environment(directory), {}, warnings)


def _entry_points(entry: Entry | None, report: Report) -> dict[str, EntryPoint]:
    found = nodes.entries(entry.value if entry else None, "entry_points", report)
    return {name: _entry_point(name, declared, report) for name, declared in found.items()}


def _entry_point(name: str, entry: Entry, report: Report) -> EntryPoint:
    found = nodes.entries(entry.value, f"entry point {name!r}", report)
    parameters = found.get("parameters")
    command = nodes.text(found.get("command"), "command", report)
    if not command or not command.strip():
        report.error(
            "missing-command", entry.key, f"entry point {name!r} has no command", "add `command: …` below it"
        )
    place = found["command"].value if "command" in found else entry.key
    return EntryPoint(
        name,
        command or "",
        read_parameters(parameters.value if parameters else None, report),
        report.document.locate(place),
    )
