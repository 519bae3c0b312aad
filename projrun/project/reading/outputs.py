"""Reading the `outputs` of an entry point: what is recorded of a command that logs nothing itself."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from yaml.nodes import MappingNode, Node, ScalarNode

from projrun.project.model import OutputArtifact, Outputs
from projrun.project.patterns import group_names, pattern_problem
from projrun.project.reading import nodes
from projrun.project.reading.keys import check_keys
from projrun.project.reading.nodes import Entry
from projrun.project.reading.report import Report

KEYS = ("metrics", "artifacts")
FILE_SUFFIXES = (".json", ".jsonl", ".csv")
"""A metrics item that ends so is a file; any other is a regular expression."""
STEP = "step"

_MOST = 100
"""Items of each list."""
_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"


def read_outputs(entry: Entry | None, report: Report) -> Outputs | None:
    """The outputs that are declared; None where there are none."""
    if entry is None or entry.is_null:
        return None
    found = nodes.entries(entry.value, "outputs", report)
    check_keys(found, KEYS, "outputs", report)
    patterns: list[str] = []
    files: list[str] = []
    for node in _items(found.get("metrics"), "metrics", report):
        text = _text(node, "a metrics item must be a pattern or the name of a file", report)
        if text.endswith(FILE_SUFFIXES):
            _check_path(node, text, report)
            files.append(text)
        elif text:
            _check_pattern(node, text, report)
            patterns.append(text)
    listed = _items(found.get("artifacts"), "artifacts", report)
    artifacts = [one for node in listed for one in _artifacts(node, report)]
    _check_names(artifacts, entry, report)
    return Outputs(tuple(patterns), tuple(files), tuple(artifacts))


def _items(entry: Entry | None, what: str, report: Report) -> list[Node]:
    if entry is not None and isinstance(entry.value, ScalarNode) and not entry.is_null:
        return [entry.value]  # one of them needs no list
    listed = nodes.items(entry, what, report)
    if entry is not None and len(listed) > _MOST:
        report.error("too-many-outputs", entry.key, f"{what} has {len(listed)} items; the most are {_MOST}")
    return listed[:_MOST]


def _text(node: Node, problem: str, report: Report) -> str:
    if isinstance(node, ScalarNode) and node.value.strip():
        return str(node.value)
    report.error("bad-output", node, problem)
    return ""


def _check_pattern(node: Node, pattern: str, report: Report) -> None:
    problem = pattern_problem(pattern)
    if problem:
        report.error("bad-pattern", node, f"the pattern is not a regular expression: {problem}")
        return
    if not set(group_names(pattern)) - {STEP}:
        hint = r"name what is measured, as in 'rmse: (?P<rmse>\S+)'; files end in .json, .jsonl or .csv"
        report.error("no-metric", node, "the pattern has no named group that is a metric", hint)


def _artifacts(node: Node, report: Report) -> list[OutputArtifact]:
    if not isinstance(node, MappingNode):
        glob = _text(node, "an artifact must be a path of the project, or `name: path`", report)
        return [OutputArtifact(glob, _check_path(node, glob, report))] if glob else []
    found = []
    for name, entry in nodes.entries(node, "artifacts", report).items():
        if not re.fullmatch(_NAME, name):
            report.error("bad-output", entry.key, f"{name!r} is not a name: use letters, digits, _ and -")
        glob = _text(entry.value, f"the artifact {name!r} must be a path of the project", report)
        if glob:
            found.append(OutputArtifact(name, _check_path(entry.value, glob, report)))
    return found


def _check_path(node: Node, text: str, report: Report) -> str:
    """The path without `./` and doubled slashes."""
    path = PurePosixPath(text)
    hint = "paths and globs are relative to the project's folder"
    if path.is_absolute() or ".." in path.parts or text.startswith("~"):
        report.error("output-outside", node, f"{text!r} leaves the project", hint)
    elif "\0" in text or not path.parts:
        report.error("bad-output", node, f"{text!r} is not a path of the project", hint)
    elif any("**" in part and part != "**" for part in path.parts):
        report.error("bad-output", node, f"{text!r}: `**` must be a whole part, as in `out/**/*.png`")
    return str(path)


def _check_names(artifacts: list[OutputArtifact], entry: Entry, report: Report) -> None:
    names = [one.name for one in artifacts]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        report.error("bad-output", entry.key, f"two artifacts are named {name!r}", "remove or rename one")
