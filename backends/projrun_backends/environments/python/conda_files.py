"""conda.yaml files: what they require, and which of them need nothing beyond pip and so run without conda."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from yaml.nodes import MappingNode, Node

from projrun.errors import EnvironmentBuildError
from projrun.project.reading.document import is_null
from projrun_backends.environments.python.documents import EnvironmentDocument, Text
from projrun_backends.environments.python.requirements import Line
from projrun_backends.environments.python.versions import PythonRequest

_SPEC = r"(?:\S+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)"
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

    @property
    def foreign(self) -> tuple[Text, ...]:
        """The dependencies that only conda can install."""
        return tuple(text for text in self.dependencies if package_name(text.value) not in _PIP_ONLY)


class CondaFile(NamedTuple):
    """What a file asks for that pip can install."""

    python: PythonRequest | None
    python_origin: str
    tools: tuple[Line, ...]
    """pip, setuptools and wheel, as requirement lines."""
    pip_lines: tuple[Line, ...]
    variables: tuple[tuple[str, str], ...]


def read_conda_document(file: Path, name: str) -> CondaDocument:
    """Raises RequestError, with line and column, for a file that is wrong."""
    document = EnvironmentDocument(file, name)
    dependencies: list[Text] = []
    pip_lines: list[Line] = []
    for node in document.items("dependencies"):
        if isinstance(node, MappingNode):
            pip_lines += _pip_lines(document, node)
            continue
        text = document.scalar(node)
        if package_name(text.value) is None:
            raise document.error(text.location, f"{text.value!r} is not a conda dependency")
        dependencies.append(text)
    variables = tuple(_variable(document, *pair) for pair in document.mapping("variables"))
    return CondaDocument(tuple(document.texts("channels")), tuple(dependencies), tuple(pip_lines), variables)


def read_conda_file(file: Path, name: str) -> CondaFile:
    """Raises RequestError for a file that is wrong, EnvironmentBuildError for one that needs conda."""
    conda = read_conda_document(file, name)
    if conda.foreign:
        raise needs_conda(name, conda.foreign)
    document = EnvironmentDocument(file, name)
    python: Text | None = None
    request: PythonRequest | None = None
    tools: list[Line] = []
    for text in conda.dependencies:
        package, version = _split(text.value)
        if package == "python":
            python, request = text, _python(document, text, version)
        else:
            tools.append(Line(package + _pip_version(version), str(text.location)))
    origin = str(python.location) if python else ""
    return CondaFile(request, origin, tuple(tools), conda.pip_lines, conda.variables)


def package_name(dependency: str) -> str | None:
    """The package that a match specification is for, in lower case; None if it is invalid.

    Of an address of a package file, the whole address.
    """
    if re.fullmatch(r"[A-Za-z][\w+.-]*://\S+\.(?:conda|tar\.bz2)(?:#\S*)?", dependency):
        return dependency
    return _split(dependency)[0] or None


def needs_conda(name: str, foreign: tuple[Text, ...]) -> EnvironmentBuildError:
    """The error for a file whose dependencies only conda can install, without conda."""
    listed = ", ".join(text.value for text in foreign)
    return EnvironmentBuildError(
        f"{name} asks for what only conda can install: {listed}",
        hint="use --env-manager=conda (pip install 'projrun[conda]' without conda), or move it to the"
        " file's `pip:` list where PyPI has it",
        detail="\n".join(f"{text.location}: {text.value}" for text in foreign),
    )


def _variable(document: EnvironmentDocument, name: Text, value: Text) -> tuple[str, str]:
    if not re.fullmatch(_VARIABLE, name.value):
        raise document.error(name.location, f"{name.value!r} is not the name of a variable")
    return name.value, value.value


def _split(dependency: str) -> tuple[str, str]:
    match = re.fullmatch(_SPEC, dependency)
    return (match[1].lower(), match[2].strip()) if match else ("", "")


def _pip_lines(document: EnvironmentDocument, node: MappingNode) -> list[Line]:
    lines = []
    for key, value in node.value:
        name = document.scalar(key)
        if name.value != "pip":
            raise document.error(name.location, f"{name.value!r} is not `pip`", hint="only pip has a list")
        for item in _pip_items(document, value):
            text = document.scalar(item)
            lines.append(Line(text.value, str(text.location)))
    return lines


def _pip_items(document: EnvironmentDocument, value: Node) -> list[Node]:
    return [] if is_null(value) else document.sequence(value, "pip")


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
