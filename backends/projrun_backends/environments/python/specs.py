"""What an environment file requires, read once into a frozen value that every manager takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from projrun.environments.protocol import Refusal
from projrun.errors import RequestError
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.python.documents import EnvironmentDocument, Text
from projrun_backends.environments.python.requirements import (
    Line,
    Requirements,
    display_name,
    read_requirement_lines,
    read_requirements_file,
)
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.uv_files import read_uv_project
from projrun_backends.environments.python.versions import PythonRequest


def read_spec(reference: EnvironmentReference, project: Path, environ: Mapping[str, str]) -> EnvironmentSpec:
    """The spec that the project's reference leads to.

    Raises RequestError for a file that is missing or wrong, EnvironmentBuildError for what only conda installs.
    """
    if reference.file is None:
        return EnvironmentSpec("")
    reader = _READERS.get(reference.kind)
    if reader is None:
        raise RequestError(f"a {reference.kind} environment is not made of requirements")
    return reader(reference.file, project, environ)


def conda_refusal(reference: EnvironmentReference) -> Refusal | None:
    """Why pip cannot build a conda file's environment; None for other kinds. RequestError for a wrong file."""
    if reference.kind != "conda_env" or reference.file is None:
        return None
    from projrun_backends.environments.python.conda_files import needs_conda, read_conda_document

    name = reference.file.name
    foreign = read_conda_document(reference.file, name).foreign
    return Refusal(f"{name} needs more than pip can install", needs_conda(name, foreign)) if foreign else None


def parse_python(text: str, origin: str, document: EnvironmentDocument, place: Text) -> PythonRequest:
    """The Python version that a file asks for; RequestError where it is none."""
    request = PythonRequest.parse(text)
    if request is None:
        raise document.error(
            place.location, f"{text!r} is not a Python version", hint='for example python: "3.11"'
        )
    return request


def _read_python_env(file: Path, project: Path, environ: Mapping[str, str]) -> EnvironmentSpec:
    """MLflow's python_env.yaml: `python`, `build_dependencies`, `dependencies`."""
    name = display_name(file, project)
    document = EnvironmentDocument(file, name)
    place = document.text("python")
    python = parse_python(place.value, name, document, place) if place else None

    def requirements(key: str) -> Requirements:
        lines = (Line(text.value, str(text.location)) for text in document.texts(key))
        return read_requirement_lines(lines, file.parent, project, environ)

    build, wanted = requirements("build_dependencies"), requirements("dependencies")
    return EnvironmentSpec(
        source=name,
        python=python,
        python_origin=str(place.location) if place else "",
        python_instead=python and python.same_minor(),
        build_requirements=build,
        requirements=wanted,
        files=_files(file, build, wanted),
        warnings=build.warnings + wanted.warnings,
    )


def _read_conda_env(file: Path, project: Path, environ: Mapping[str, str]) -> EnvironmentSpec:
    from projrun_backends.environments.python.conda_files import read_conda_file

    name = display_name(file, project)
    conda = read_conda_file(file, name)
    tools = read_requirement_lines(conda.tools, file.parent, project, environ)
    wanted = read_requirement_lines(conda.pip_lines, file.parent, project, environ)
    return EnvironmentSpec(
        source=name,
        python=conda.python,
        python_origin=conda.python_origin,
        python_instead=conda.python and conda.python.same_minor(),
        build_requirements=tools,
        requirements=wanted,
        variables=conda.variables,
        files=_files(file, wanted),
        warnings=wanted.warnings,
    )


def _read_requirements(file: Path, project: Path, environ: Mapping[str, str]) -> EnvironmentSpec:
    wanted = read_requirements_file(file, project, environ)
    return EnvironmentSpec(
        source=display_name(file, project),
        requirements=wanted,
        files=wanted.files,
        warnings=wanted.warnings,
    )


def _read_uv_env(file: Path, project: Path, environ: Mapping[str, str]) -> EnvironmentSpec:
    return read_uv_project(file, project)


def _files(file: Path, *requirements: Requirements) -> tuple[Path, ...]:
    followed = [path for found in requirements for path in found.files]
    return tuple(dict.fromkeys([file, *followed]))


_READERS: Mapping[str, Callable[[Path, Path, Mapping[str, str]], EnvironmentSpec]] = {
    "python_env": _read_python_env,
    "conda_env": _read_conda_env,
    "requirements": _read_requirements,
    "uv_env": _read_uv_env,
}
