"""conda.yaml files: what they require, and what of it is Python and its tools, which need no conda."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from yaml.nodes import MappingNode, Node

from projrun.project.reading.document import is_null
from projrun.project.reading.keys import CONDA_KEYS
from projrun_backends.environments.python.documents import EnvironmentDocument, Text
from projrun_backends.environments.python.requirements import Line
from projrun_backends.environments.python.versions import PythonRequest
from projrun_backends.environments.translation.match_specs import package_name, parse_match_spec
from projrun_backends.environments.translation.versions import specifiers

_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_TOOLS = frozenset({"pip", "setuptools", "wheel"})
_PIP_ONLY = _TOOLS | {"python"}


class CondaDocument(NamedTuple):
    """The parts of the file; `name` and `prefix` belong to the author's machine."""

    channels: tuple[Text, ...]
    dependencies: tuple[Text, ...]
    """What conda installs, as match specifications."""
    pip_lines: tuple[Line, ...]
    """What pip installs afterwards."""
    variables: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()

    @property
    def foreign(self) -> tuple[Text, ...]:
        """The dependencies beyond Python and pip's own tools: conda's own, until they are translated."""
        return tuple(text for text in self.dependencies if package_name(text.value) not in _PIP_ONLY)


class CondaFile(NamedTuple):
    """What a file asks for that needs no translation."""

    python: PythonRequest | None
    python_origin: str
    tools: tuple[Line, ...]
    """pip, setuptools and wheel, as requirement lines."""
    pip_lines: tuple[Line, ...]
    variables: tuple[tuple[str, str], ...]
    foreign: tuple[Text, ...]
    warnings: tuple[str, ...] = ()


def read_conda_document(file: Path, name: str) -> CondaDocument:
    """Raises RequestError, with line and column, for a file that is wrong."""
    document = EnvironmentDocument(file, name, CONDA_KEYS)
    dependencies: list[Text] = []
    pip_lines: list[Line] = []
    for node in document.items("dependencies"):
        if isinstance(node, MappingNode):
            pip_lines += _pip_lines(document, node)
            continue
        text = document.item(node)
        if package_name(text.value) is None:
            raise document.error(text.location, f"{text.value!r} is not a conda dependency")
        dependencies.append(text)
    variables = tuple(_variable(document, *pair) for pair in document.mapping("variables"))
    channels = tuple(document.texts("channels"))
    return CondaDocument(channels, tuple(dependencies), tuple(pip_lines), variables, document.warnings)


def read_conda_file(file: Path, name: str) -> CondaFile:
    """Raises RequestError for a file that is wrong."""
    conda = read_conda_document(file, name)
    document = EnvironmentDocument(file, name, CONDA_KEYS)
    python: Text | None = None
    request: PythonRequest | None = None
    tools: list[Line] = []
    for text in conda.dependencies:
        package = package_name(text.value)
        if package == "python":
            python, request = text, _python(document, text)
        elif package in _TOOLS:
            tools.append(Line(package + _pip_version(document, text), str(text.location)))
    origin = str(python.location) if python else ""
    return CondaFile(
        request, origin, tuple(tools), conda.pip_lines, conda.variables, conda.foreign, conda.warnings
    )


def _variable(document: EnvironmentDocument, name: Text, value: Text) -> tuple[str, str]:
    if not re.fullmatch(_VARIABLE, name.value):
        raise document.error(name.location, f"{name.value!r} is not the name of a variable")
    return name.value, value.value


def _pip_lines(document: EnvironmentDocument, node: MappingNode) -> list[Line]:
    lines = []
    for key, value in node.value:
        name = document.scalar(key)
        if name.value != "pip":
            raise document.error(name.location, f"{name.value!r} is not `pip`", hint="only pip has a list")
        for item in _pip_items(document, value):
            text = document.item(item)
            lines.append(Line(text.value, str(text.location)))
    return lines


def _pip_items(document: EnvironmentDocument, value: Node) -> list[Node]:
    return [] if is_null(value) else document.sequence(value, "pip")


def _python(document: EnvironmentDocument, text: Text) -> PythonRequest | None:
    version = _version(document, text)
    if not version:
        return None
    request = PythonRequest.parse(version)
    if request is None:
        raise document.error(
            text.location, f"{version!r} is not a Python version", hint="for example python=3.11"
        )
    return request


def _pip_version(document: EnvironmentDocument, text: Text) -> str:
    version = specifiers(_version(document, text))
    if version is None:
        raise document.error(text.location, f"pip cannot be asked for {text.value!r}")
    return version


def _version(document: EnvironmentDocument, text: Text) -> str:
    spec = parse_match_spec(text.value)
    if spec is None:
        raise document.error(text.location, f"{text.value!r} is not a conda dependency")
    return spec.version
