"""`.python-version` files: as with uv, the nearest one chooses the Python of an environment that names none itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import RequestError
from projrun.project.files import is_allowed, is_file, is_inside
from projrun.project.text import read_text
from projrun_backends.environments.python.requirements import display_name
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.versions import PythonRequest

_NAMES = (".python-version", ".python-versions")
_SHORT = r"(?:cp)?(\d)(\d{1,2})"
_NAMED = r"(?:c?python)?[@-]?(.*?)(?:-(?:linux|macos|darwin)-.*)?"


def with_pinned_python(spec: EnvironmentSpec, request: EnvironmentRequest) -> EnvironmentSpec:
    """The spec with the Python of the nearest `.python-version`, from the project's folder up.

    What the environment's own file and the reference ask for takes precedence; `requires-python` is a limit.
    RequestError for a conflict with that of a project; that of a script takes precedence, as with uv.
    """
    if spec.python is not None and not spec.python_required:
        return spec
    named = request.reference
    asked = PythonRequest.parse(named.python) if named.python else None
    if asked is not None and spec.python is None:
        return spec._replace(
            python=asked, python_origin=named.python_origin, python_instead=asked.same_minor()
        )
    warnings: list[str] = []
    folder = spec.script.parent if spec.script else spec.uv_project or request.project_directory
    for file in _files(folder, request.checkout_root):
        name = display_name(file, request.project_directory)
        text = _first_line(file, name)
        pinned = _parse(text)
        if pinned is None:
            if text:
                said = repr(text) if is_inside(request.project_directory, file) else "what it says"
                warnings.append(f"{name} is ignored: {said} is not a version of Python")
            continue
        warned = spec._replace(warnings=(*spec.warnings, *warnings))
        if spec.python is None:
            return warned._replace(python=pinned, python_origin=name, python_instead=pinned.same_minor())
        if pinned.overlaps(spec.python):
            return _within(warned, pinned, name)
        if spec.script is not None:
            return warned
        raise RequestError(
            f"{name} asks for Python {pinned.plain}, which {spec.python_origin} {spec.python.text!r} excludes",
            hint="change one of them",
        )
    return spec._replace(warnings=(*spec.warnings, *warnings))


def _within(spec: EnvironmentSpec, pinned: PythonRequest, name: str) -> EnvironmentSpec:
    limit, other_patch = spec.python, pinned.same_minor()
    assert limit is not None  # noqa: S101 - the caller looked
    instead = other_patch.limited_to(limit) if other_patch and other_patch.overlaps(limit) else None
    return spec._replace(python=pinned.limited_to(limit), python_origin=name, python_instead=instead)


def _files(folder: Path, top: Path | None) -> Iterator[Path]:
    """Nearest first; in a fetched project none above it, and no link that leaves it: messages show what they say."""
    for place in (folder, *folder.parents):
        files = (place / name for name in _NAMES)
        found = next((file for file in files if is_file(file) and is_allowed(file, top)), None)
        if found is not None:
            yield found
        if place == top:
            return


def _first_line(file: Path, name: str) -> str:
    lines = (line.strip() for line in read_text(file, name).splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def _parse(text: str) -> PythonRequest | None:
    """uv's ways to write a version: `3.12`, `cpython@3.12`, `python3.12`, `312`, `cpython-3.12.1-linux-x86_64-gnu`."""
    short = re.fullmatch(_SHORT, text)
    named = re.fullmatch(_NAMED, text)
    version = f"{short[1]}.{short[2]}" if short else named[1] if named else ""
    return PythonRequest.parse(version) if version else None
