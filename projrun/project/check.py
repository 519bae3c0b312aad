"""`projrun check`: all errors and likely mistakes of a project, collected instead of raised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from yaml.nodes import MappingNode

from projrun.errors import RequestError
from projrun.project.environment_files import default_environment
from projrun.project.files import FILE_NAME, find_mlproject, look_alike
from projrun.project.lint import lint
from projrun.project.loader import real_directory
from projrun.project.model import EnvironmentReference, Location
from projrun.project.reading import nodes
from projrun.project.reading.document import Document, read_document
from projrun.project.reading.keys import ENVIRONMENT_KEYS, NEEDED_OF_ENVIRONMENTS, check_keys
from projrun.project.reading.mlproject import read_project
from projrun.project.reading.report import Collector, Finding, finding_of
from projrun.project.text import excerpt_of_file, parse_toml, read_text

__all__ = ["Finding", "check_project"]


def check_project(directory: Path) -> tuple[Finding, ...]:
    """All findings of the project in a folder, in the file's order; never raises for a broken project."""
    try:
        directory = real_directory(directory)
        file = find_mlproject(directory)
        if file is None:
            return tuple(_plain_folder(directory))
        document = read_document(file, file.name)
        return tuple(_project(file, document))
    except RequestError as error:
        return (finding_of(error),)


def _project(file: Path, document: Document) -> Iterator[Finding]:
    misnamed = look_alike(file.parent)
    if misnamed:
        message = f"{misnamed} is not read, since {file.name} exists"
        yield Finding("warning", None, message, "remove one of them", "misnamed-file")
    report = Collector(document)
    project = read_project(file, report)
    lint(project, report)
    yield from dict.fromkeys(sorted(report.findings, key=_place))
    yield from _environment_file(project.directory, project.environment)


def _plain_folder(directory: Path) -> Iterator[Finding]:
    misnamed = look_alike(directory)
    if misnamed:
        yield Finding("error", None, f"{misnamed} is not read", f"rename it to {FILE_NAME}", "misnamed-file")
    else:
        hint = "its .py, .sh and .R files run as scripts"
        yield Finding("warning", None, f"there is no {FILE_NAME} file in {directory}", hint, "no-mlproject")
    yield from _environment_file(directory, default_environment(directory))


def _environment_file(directory: Path, reference: EnvironmentReference) -> Iterator[Finding]:
    file = reference.file
    if file is None:
        return
    name = file.relative_to(directory).as_posix() if file.is_relative_to(directory) else str(file)
    try:
        if reference.kind in ("python_env", "conda_env"):
            yield from _mapping_file(read_document(file, name), reference.kind)
        elif file.suffix == ".toml":
            _parse_toml(name, read_text(file, name))
        else:
            read_text(file, name)
    except RequestError as error:
        yield finding_of(error)._replace(code="environment-file")


def _mapping_file(document: Document, kind: str) -> Iterator[Finding]:
    if document.root is not None and isinstance(document.root, MappingNode):
        report = Collector(document)
        found = nodes.entries(document.root, document.name, report)
        report.findings = [finding for finding in report.findings if finding.code == "duplicate-key"]
        check_keys(found, ENVIRONMENT_KEYS[kind], document.name, report, needed=NEEDED_OF_ENVIRONMENTS)
        yield from sorted(report.findings, key=_place)
        return
    location = document.locate(document.root) if document.root else Location(document.name, 1, 1)
    hint = "it holds keys such as `dependencies:`"
    yield Finding("error", location, "an environment file must be a mapping", hint, "environment-file")


def excerpt_of(finding: Finding, directory: Path) -> str:
    """The line of a finding with a caret; empty where there is none, or it may show a secret."""
    place = finding.location
    if place is None or "secret" in finding.message or "secret" in finding.code:
        return ""
    shown = excerpt_of_file(directory / place.file, place)
    return "" if "secret" in shown.lower() else shown


def _parse_toml(name: str, text: str) -> None:
    try:
        parse_toml(text)
    except ValueError as error:
        raise RequestError(f"{name}: {error}") from None


def _place(finding: Finding) -> tuple[int, int]:
    return (finding.location.line, finding.location.column) if finding.location else (0, 0)
