"""Which environment a project asks for: the file's keys, else the default files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from yaml.nodes import Node, ScalarNode, SequenceNode

from projrun.project.environment_files import (
    NO_ENVIRONMENT,
    default_environment,
    file_problem,
    several_problem,
)
from projrun.project.model import DockerEnv, EnvironmentReference
from projrun.project.reading import nodes
from projrun.project.reading.keys import check_keys
from projrun.project.reading.nodes import Entry
from projrun.project.reading.report import Report
from projrun.project.reading.scalars import author_text
from projrun.suggestions import near_miss

if TYPE_CHECKING:
    from projrun.project.model import EnvironmentKind

FILE_KEYS: dict[str, EnvironmentKind] = {
    "python_env": "python_env",
    "conda_env": "conda_env",
    "uv_env": "uv_env",
}
KEYS = (*FILE_KEYS, "docker_env")
DOCKER_KEYS = ("image", "volumes", "environment")

_FOREIGN_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*_env")


def read_environments(
    directory: Path, found: Mapping[str, Entry], report: Report, within: Path | None
) -> tuple[EnvironmentReference, ...]:
    """The environments that the MLproject's keys name, else `default_environment`."""
    given = [key for key in KEYS if key in found and not found[key].is_null]
    if not given:
        foreign = _foreign(directory, found, report, within)
        return (foreign or default_environment(directory, within),)
    if len(given) > 1:
        _report_several(given, found, report)
    return tuple(_named(directory, key, found[key], report, within) for key in given)


def _named(
    directory: Path, key: str, entry: Entry, report: Report, within: Path | None
) -> EnvironmentReference:
    if key == "docker_env":
        return _docker(entry, report)
    return _from_file(directory, key, entry, report, within)


def foreign_key(directory: Path, found: Mapping[str, Entry], within: Path | None) -> str | None:
    """The key of an environment that another package's manager builds: `NAME_env: FILE`, with a file of the project.

    Anything else, and what looks like a slip of a known key, is ignored as MLflow ignores unknown keys.
    """
    for key, entry in found.items():
        node = entry.value
        if (
            _FOREIGN_KEY.fullmatch(key)
            and key not in KEYS
            and isinstance(node, ScalarNode)
            and not file_problem(node.value, directory / node.value, within)[0]
            and not near_miss(key, KEYS)
        ):
            return key
    return None


def _foreign(
    directory: Path, found: Mapping[str, Entry], report: Report, within: Path | None
) -> EnvironmentReference | None:
    key = foreign_key(directory, found, within)
    return None if key is None else _from_file(directory, key, found[key], report, within)


def _report_several(given: list[str], found: Mapping[str, Entry], report: Report) -> None:
    in_order = sorted(given, key=lambda key: found[key].key.start_mark.line)
    named = [(key, found[key].key.start_mark.line + 1) for key in in_order]
    report.undecided("two-environments", found[in_order[1]].key, *several_problem(named))


def _from_file(
    directory: Path, key: str, entry: Entry, report: Report, within: Path | None
) -> EnvironmentReference:
    name = nodes.text(entry, key, report)
    if name is None:
        return NO_ENVIRONMENT
    path = directory / name
    problem, hint = file_problem(name, path, within)
    if problem:
        report.error("environment-file", entry.value, f"{key}: {problem}", hint)
        return NO_ENVIRONMENT
    return EnvironmentReference(FILE_KEYS.get(key, key), path, location=report.document.locate(entry.key))


def _docker(entry: Entry, report: Report) -> EnvironmentReference:
    found = nodes.entries(entry.value, "docker_env", report)
    check_keys(found, DOCKER_KEYS, "docker_env", report)
    location = report.document.locate(entry.key)
    image = nodes.text(found.get("image"), "image", report)
    if not image:
        report.error("missing-image", entry.key, "docker_env has no image", "add `image: NAME`")
        return NO_ENVIRONMENT
    volumes = nodes.items(found.get("volumes"), "volumes", report)
    copied, pairs = _variables(nodes.items(found.get("environment"), "environment", report), report)
    docker = DockerEnv(image, tuple(_word(node, "a volume", report) for node in volumes), copied, pairs)
    return EnvironmentReference("docker_env", docker=docker, location=location)


def _variables(listed: list[Node], report: Report) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    copied: list[str] = []
    pairs: list[tuple[str, str]] = []
    for node in listed:
        if not isinstance(node, SequenceNode):
            copied.append(_word(node, "a variable", report))
        elif len(node.value) == 2:
            name, value = node.value
            pairs.append(
                (_word(name, "a variable's name", report), _word(value, "a variable's value", report))
            )
        else:
            report.error(
                "bad-variable", node, "a variable is a name to copy from the host, or a pair [NAME, value]"
            )
    return tuple(copied), tuple(pairs)


def _word(node: Node, what: str, report: Report) -> str:
    value = None if isinstance(node.value, list) else author_text(node, report)
    if value is None:
        report.error("not-text", node, f"{what} must be text")
    return value or ""
