"""Opening a project's folder as a Project: from the cache where its MLproject was read before, else read now."""

from __future__ import annotations

import os
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.environment_files import default_environment, script_environment
from projrun.project.files import FILE_NAME, find_mlproject, look_alike
from projrun.project.model import Project
from projrun.project.parsed import ParsedProjects


def load_project(
    directory: Path,
    cache: Path | None = None,
    *,
    keep: bool = True,
    within: Path | None = None,
    entry_point: str = "",
) -> Project:
    """Read the project in a folder; a folder with no MLproject file is one too, its files run as scripts.

    Unknown keys are ignored, as in MLflow. With `cache`, an MLproject that was read before needs no YAML parser; one
    that was not is kept there, with `keep`. What a fetched project names must be in its
    checkout, `within`; the user's own folder is trusted (None). With `entry_point`, a script that runs under that name
    may bring its environment (`script_environment`).
    Raises RequestError: `MLproject:7:13: …`, with the source line.
    """
    project = _load(real_directory(directory), cache, keep, within)
    return project._replace(environment=script_environment(project, entry_point))


def _load(directory: Path, cache: Path | None, keep: bool, within: Path | None) -> Project:
    file = find_mlproject(directory, within)
    if file is None:
        return _plain_project(directory, within)
    parsed = ParsedProjects.of(cache, file) if cache is not None else None
    known = parsed.find(within) if parsed is not None else None
    if known is not None:
        return known
    project = read_now(file, within)
    # Not one that was edited meanwhile.
    if keep and cache is not None and parsed is not None and ParsedProjects.of(cache, file) == parsed:
        parsed.keep(project)
    return project


def read_now(file: Path, within: Path | None = None) -> Project:
    """The project, from its file."""
    from projrun.project.reading.document import (
        read_document,  # yaml takes a third of the time of a short run
    )
    from projrun.project.reading.mlproject import read_project
    from projrun.project.reading.report import Report

    return read_project(file, Report(read_document(file, file.name)), within)


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


def _plain_project(directory: Path, within: Path | None) -> Project:
    misnamed = look_alike(directory)
    warnings = (f"{misnamed} is not read: the file must be called {FILE_NAME}",) if misnamed else ()
    environment = default_environment(directory, within)
    return Project(directory, None, None, environment, {}, warnings, within=within)
