"""conda.yaml files that ask for nothing but what pip has: these run without conda."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from yaml.nodes import MappingNode

from projrun.environments.documents import EnvironmentDocument, Text
from projrun.environments.requirements import Line
from projrun.environments.versions import PythonRequest
from projrun.errors import EnvironmentBuildError

_SPEC = r"(?:[\w./-]+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)"
_TOOLS = frozenset({"pip", "setuptools", "wheel"})


class CondaFile(NamedTuple):
    """What such a file asks for."""

    python: PythonRequest | None
    python_origin: str
    tools: tuple[Line, ...]
    """pip, setuptools and wheel, as requirement lines."""
    pip_lines: tuple[Line, ...]
    variables: tuple[tuple[str, str], ...]


def read_conda_file(file: Path, name: str) -> CondaFile:
    """Raises RequestError for a file that is wrong, EnvironmentBuildError for one that needs conda."""
    document = EnvironmentDocument(file, name)
    python: Text | None = None
    request: PythonRequest | None = None
    tools: list[Line] = []
    pip_lines: list[Line] = []
    foreign: list[Text] = []
    for node in document.items("dependencies"):
        if isinstance(node, MappingNode):
            pip_lines += _pip_lines(document, node)
            continue
        text = document.scalar(node)
        package, version = _split(document, text)
        if package == "python":
            python, request = text, _python(document, text, version)
        elif package in _TOOLS:
            tools.append(Line(package + _pip_version(version), str(text.location)))
        else:
            foreign.append(text)
    if foreign:
        raise _needs_conda(name, foreign)
    variables = tuple((key.value, value.value) for key, value in document.mapping("variables"))
    return CondaFile(
        request, str(python.location) if python else "", tuple(tools), tuple(pip_lines), variables
    )


def _split(document: EnvironmentDocument, text: Text) -> tuple[str, str]:
    match = re.fullmatch(_SPEC, text.value)
    if match is None:
        raise document.error(text.location, f"{text.value!r} is not a conda dependency")
    return match[1].lower(), match[2].strip()


def _pip_lines(document: EnvironmentDocument, node: MappingNode) -> list[Line]:
    lines = []
    for key, value in node.value:
        name = document.scalar(key)
        if name.value != "pip":
            raise document.error(name.location, f"{name.value!r} is not `pip`", hint="only pip has a list")
        for item in document.sequence(value, "pip"):
            text = document.scalar(item)
            lines.append(Line(text.value, str(text.location)))
    return lines


def _python(document: EnvironmentDocument, text: Text, version: str) -> PythonRequest | None:
    wanted = _without_build(version)
    if not wanted:
        return None
    request = PythonRequest.parse(wanted)
    if request is None:
        raise document.error(
            text.location, f"{version!r} is not a Python version", hint="for example python=3.11"
        )
    return request


def _without_build(version: str) -> str:
    """`=3.11.5=h955ad1f_0` asks for a build of conda's own: the version counts."""
    match = re.fullmatch(r"={0,2}\s*([\w.*]+)[=\s]\s*\w+", version)
    return match[1] if match else version


def _pip_version(version: str) -> str:
    """conda's `pip=23.1` is fuzzy, `pip==23.1` exact, as in its MatchSpec."""
    version = _without_build(version).replace(" ", "")
    if version in ("", "*", "=*"):
        return ""
    if version.startswith("=") and not version.startswith("=="):
        version = version[1:].removesuffix(".*").removesuffix("*")
        return f"=={version}.*"
    return version if version[0] in "<>=!~" else f"=={version}"


def _needs_conda(name: str, foreign: list[Text]) -> EnvironmentBuildError:
    listed = ", ".join(text.value for text in foreign)
    return EnvironmentBuildError(
        f"{name} asks for what only conda can install: {listed}; conda comes in the next release",
        hint="move it to the file's `pip:` list where PyPI has it, or use --env-manager=local in an environment"
        " that has it",
        detail="\n".join(f"{text.location}: {text.value}" for text in foreign),
    )
