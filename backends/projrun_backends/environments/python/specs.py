"""What an environment file requires, read once into a frozen value that every manager takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from projrun.environments.protocol import Refusal
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.project.files import is_allowed, is_file
from projrun.project.model import EnvironmentReference
from projrun.project.text import LocatedError
from projrun.typed import TYPE_CHECKING
from projrun_backends.environments.python.formats.pylock import FILE_NAME as PYLOCK_NAME
from projrun_backends.environments.python.formats.pylock import read_pylock
from projrun_backends.environments.python.formats.scripts import read_script
from projrun_backends.environments.python.requirements import (
    Line,
    Requirements,
    display_name,
    read_requirement_lines,
    read_requirements_file,
    refuse_outside,
)
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.uv_files import read_uv_project
from projrun_backends.environments.python.versions import PythonRequest

if TYPE_CHECKING:
    from projrun_backends.environments.python.documents import EnvironmentDocument, Text
    from projrun_backends.environments.translation.translation import Translated


_Reader = Callable[[Path, Path, Mapping[str, str], "Path | None"], EnvironmentSpec]

_NAMED = 12
"""Dependencies that one line of an error names; an export of R has hundreds."""


def read_spec(
    reference: EnvironmentReference, project: Path, environ: Mapping[str, str], within: Path | None = None
) -> EnvironmentSpec:
    """The spec that the project's reference leads to; `within` is the checkout of a fetched project.

    Raises RequestError for a file that is missing or wrong, EnvironmentBuildError for what only conda installs.
    """
    if reference.file is None:
        return EnvironmentSpec("")
    reader = _READERS.get(reference.kind)
    if reader is None:
        raise RequestError(f"a {reference.kind} environment is not made of requirements")
    for beside in _beside(reference.kind, reference.file, within) if within else ():
        if is_file(beside) and not is_allowed(beside, within):
            raise RequestError(
                f"{display_name(beside, project)} is a link that leaves the project",
                hint="put the file itself there",
            )
    spec = reader(reference.file, project, environ, within)
    refuse_outside((spec.build_requirements, spec.requirements), within, project)
    return spec


def _beside(kind: str, file: Path, within: Path | None) -> Iterator[Path]:
    """What the readers look up beside a named file, and around it."""
    if kind == "script":
        yield file.with_name(f"{file.name}.lock")
    if kind not in ("uv_env", "poetry"):
        return
    yield file.with_name("poetry.lock")
    yield file.with_name("uv.toml")
    for folder in file.parents:
        yield from (folder / "pyproject.toml", folder / "uv.lock")
        if folder == within:
            return


def conda_refusal(reference: EnvironmentReference) -> Refusal | None:
    """Why pip cannot build a conda file's environment, or only a translation; None for others.

    Raises RequestError for a wrong file.
    """
    if reference.kind != "conda_env" or reference.file is None:
        return None
    from projrun_backends.environments.python.conda_files import read_conda_document
    from projrun_backends.environments.translation.translation import translate

    name = reference.file.name
    try:
        found = translate(read_conda_document(reference.file, name).foreign)
    except LocatedError as error:
        if reference.location is not None:
            error.detail = ""  # a file that is named may lie outside the project: its lines are not shown
        raise
    if not found:
        return None
    missing = any(one.missing for one in found)
    return Refusal(
        f"{name} needs more than pip can install", needs_conda(name, found), substitute=not missing
    )


def needs_conda(name: str, translated: Iterable[Translated]) -> EnvironmentBuildError:
    """The error for a file with dependencies that PyPI does not have: those, and no others."""
    missing = [one for one in translated if one.missing]
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    listed = ", ".join(one.text.value for one in missing[:_NAMED])
    return EnvironmentBuildError(
        f"{name} asks for what only conda can install: {listed}{more}",
        hint="use --env-manager=conda (pip install 'projrun[conda]' without conda), or remove what the project"
        " does not need",
        detail="\n".join(f"{one.text.location}: {one.text.value} ({one.missing})" for one in missing),
    )


def parse_python(text: str, origin: str, document: EnvironmentDocument, place: Text) -> PythonRequest:
    """The Python version that a file asks for; RequestError where it is none."""
    request = PythonRequest.parse(text)
    if request is None:
        raise document.error(
            place.location, f"{text!r} is not a Python version", hint='for example python: "3.11"'
        )
    return request


def _read_python_env(
    file: Path, project: Path, environ: Mapping[str, str], within: Path | None
) -> EnvironmentSpec:
    """MLflow's python_env.yaml: `python`, `build_dependencies`, `dependencies`."""
    from projrun.project.reading.keys import PYTHON_ENV_KEYS
    from projrun_backends.environments.python.documents import EnvironmentDocument  # with the YAML parser

    name = display_name(file, project)
    document = EnvironmentDocument(file, name, PYTHON_ENV_KEYS)
    place = document.text("python")
    python = parse_python(place.value, name, document, place) if place else None

    def requirements(key: str) -> Requirements:
        lines = (Line(text.value, str(text.location)) for text in document.texts(key))
        return read_requirement_lines(lines, file.parent, project, environ, within)

    build, wanted = requirements("build_dependencies"), requirements("dependencies")
    return EnvironmentSpec(
        source=name,
        python=python,
        python_origin=str(place.location) if place else "",
        python_instead=python and python.same_minor(),
        build_requirements=build,
        requirements=wanted,
        files=_files(file, build, wanted),
        warnings=document.warnings + build.warnings + wanted.warnings,
    )


def _read_conda_env(
    file: Path, project: Path, environ: Mapping[str, str], within: Path | None
) -> EnvironmentSpec:
    from projrun_backends.environments.python.conda_files import read_conda_file
    from projrun_backends.environments.translation.translation import translate

    name = display_name(file, project)
    conda = read_conda_file(file, name)
    translated = translate(conda.foreign)
    if any(one.missing for one in translated):
        raise needs_conda(name, translated)
    tools = read_requirement_lines(conda.tools, file.parent, project, environ)
    listed = read_requirement_lines(conda.pip_lines, file.parent, project, environ, within)
    # pip replaces what conda installed before it: where the file names a package twice, the `pip:` list decides.
    replaced = {_package(line) for line in listed.lines}
    kept = [one for one in translated if not one.requirement or _package(one.requirement) not in replaced]
    lines = tuple(dict.fromkeys(one.requirement for one in kept if one.requirement))
    return EnvironmentSpec(
        source=name,
        python=conda.python,
        python_origin=conda.python_origin,
        python_instead=conda.python and conda.python.same_minor(),
        build_requirements=tools,
        requirements=listed._replace(lines=(*lines, *listed.lines)),
        variables=conda.variables,
        files=_files(file, listed),
        warnings=conda.warnings + listed.warnings,
        translated=tuple((one.text.value, one.requirement) for one in kept),
    )


def _package(line: str) -> str:
    """The package of a requirement line, as PyPI compares names; empty where it has none."""
    from projrun.environments.lock_text import normalized_name

    match = re.match(r"[A-Za-z0-9][\w.-]*", line)
    return normalized_name(match[0]) if match else ""


def _read_requirements(
    file: Path, project: Path, environ: Mapping[str, str], within: Path | None
) -> EnvironmentSpec:
    wanted = read_requirements_file(file, project, environ, within)
    return EnvironmentSpec(
        source=display_name(file, project),
        requirements=wanted,
        files=wanted.files,
        warnings=wanted.warnings,
    )


def _read_uv_env(
    file: Path, project: Path, environ: Mapping[str, str], within: Path | None
) -> EnvironmentSpec:
    named = read_pylock if re.fullmatch(PYLOCK_NAME, file.name) else read_uv_project
    return named(file, project, environ)


def _files(file: Path, *requirements: Requirements) -> tuple[Path, ...]:
    followed = [path for found in requirements for path in found.files]
    return tuple(dict.fromkeys([file, *followed]))


def _alone(read: Callable[[Path, Path, Mapping[str, str]], EnvironmentSpec]) -> _Reader:
    """The reader of a kind of file that includes no others."""
    return lambda file, project, environ, within: read(file, project, environ)


_READERS: Mapping[str, _Reader] = {
    "python_env": _read_python_env,
    "conda_env": _read_conda_env,
    "requirements": _read_requirements,
    "uv_env": _read_uv_env,
    "poetry": _alone(read_uv_project),
    "pylock": _alone(read_pylock),
    "script": _alone(read_script),
}
