"""The lock of a Python environment: exactly what is installed, as a requirements file that builds it again.

A lock says which Python it is for, lists packages in the project by their path in it, and keeps the
options that say where packages come from. It has no hashes (installers do not report them) and no credentials.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from projrun.credentials import without_credentials
from projrun.environments.lock_text import lock_kind
from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import RequestError
from projrun.project.text import read_text
from projrun_backends.environments.python.requirements import (
    Line,
    Requirements,
    logical_lines,
    read_requirement_lines,
    without_comment,
)
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.versions import PythonRequest, PythonVersion

_TITLE = "# A Python environment, locked by projrun; `--locked` builds it again."
_PYTHON = r"(?m)^# python (\S+)$"
_SOURCE_OPTION = (
    r"(?:-[if]\b|--(?:index-url|extra-index-url|find-links|no-index|pre|prefer-binary|only-binary|no-binary"
    r"|trusted-host)\b).*"
)
_PINNED = r"[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*===?\s*[\w.!+-]+\s*(?:(?:;|\s--).*)?"
_PLACED = r"(?:-e|--editable)\s.*|[^-].*://.*|[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*@.*|\.{0,2}/.*|\.(?:\[.*)?|~/.*"
_FILE_REFERENCE = r"((?:-e|--find-links)\s+)?(?:\S+\s*@\s*)?(?:file://(?:localhost)?)?(/[^#;]*)(?:#\S*)?"
_WHOSE = {
    "conda": ("a lock of a conda environment", "use it with --env-manager=conda"),
    "image": ("a lock of an image", "use it with a Docker project"),
    "toml": (
        "a lock that uv or another tool keeps next to pyproject.toml",
        "a project with `uv_env: pyproject.toml` is built from its uv.lock without --locked",
    ),
}


def lock_text(frozen: str, python: PythonVersion | str, spec: EnvironmentSpec | None, project: Path) -> str:
    """The lock of an environment from the lines of `pip freeze`."""
    lines = [line.strip() for line in frozen.splitlines()]
    pins = {_portable(line, project) for line in lines if line and not line.startswith("#")}
    options = dict.fromkeys(without_credentials(line) for line in _options(spec)) if spec else ()
    places = [_portable(line, project) for line in options]
    texts = [_TITLE, f"# python {python}", *places, *sorted(pins, key=str.lower)]
    return "".join(f"{text}\n" for text in texts)


def locked_spec(spec: EnvironmentSpec, file: Path, request: EnvironmentRequest) -> EnvironmentSpec:
    """What the project asks for, with the packages and the Python of a lock instead of its own.

    Raises RequestError, with the line, for a file that is not a lock of a Python environment.
    """
    text = read_text(file, str(file))
    refuse_foreign_lock(text, file)
    lines = list(_pinned_lines(text, file))
    pinned = read_requirement_lines(lines, file.parent, request.project_directory, request.environ)
    own = tuple(dict.fromkeys(_options(spec)))  # with the credentials that the lock does not hold
    known = {without_credentials(line) for line in own}
    python = re.search(_PYTHON, text)
    version = PythonVersion.parse(python[1]) if python else None
    locked = spec._replace(
        source=str(file),
        build_requirements=Requirements(),
        requirements=pinned._replace(lines=(*own, *(line for line in pinned.lines if line not in known))),
        files=(*spec.files, file, *pinned.files),
        locked_project=None,
        dependency_file=None,
        script=None,
        needs_uv="",
        pip_warnings=(),
        pinned=True,
        seeded=version is None or any(re.match(r"pip\s*==", line) for line in pinned.lines),
    )
    return locked if version is None else _with_python(locked, version, str(file))


def refuse_foreign_lock(text: str, file: Path) -> None:
    """RequestError for a lock that is not of a Python environment."""
    kind = lock_kind(text)
    if kind != "python":
        what, remedy = _WHOSE[kind]
        raise RequestError(f"--locked: {file} is {what}, not of a Python environment", hint=remedy)


def _with_python(spec: EnvironmentSpec, version: PythonVersion, origin: str) -> EnvironmentSpec:
    return spec._replace(
        python=PythonRequest.parse(str(version)),
        python_required=False,
        python_instead=PythonRequest.parse(f"{version.major}.{version.minor}"),
        python_origin=origin,
    )


def _pinned_lines(text: str, file: Path) -> Iterator[Line]:
    for number, line in logical_lines(text):
        bare = re.sub(r"\s{2,}", " ", without_comment(line)).strip()
        if not bare:
            continue
        origin = f"{file}:{number}"
        if not re.fullmatch(f"{_SOURCE_OPTION}|{_PINNED}|{_PLACED}", bare):
            raise RequestError(
                f"{origin}: {without_credentials(bare)!r} is not pinned",
                hint="a lock has name==1.2.3 for every package; projrun records one with every run,"
                " as environment/requirements.lock.txt",
            )
        yield Line(bare, origin)


def _options(spec: EnvironmentSpec) -> Iterator[str]:
    for line in (*spec.build_requirements.lines, *spec.requirements.lines):
        if re.fullmatch(_SOURCE_OPTION, line):
            yield line


def _portable(line: str, project: Path) -> str:
    """A place in the project's folder as `./place`: the folder differs each time."""
    match = re.fullmatch(_FILE_REFERENCE, line)
    if match is None:
        return line
    path = unquote(match[2]).rstrip("/ ")
    for folder in (str(project), os.path.realpath(project)):
        if path == folder or path.startswith(folder + os.sep):
            return f"{match[1] or ''}.{path[len(folder) :]}"
    return line
