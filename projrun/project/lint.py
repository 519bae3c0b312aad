"""What runs but is likely a mistake: unknown keys, types and placeholders, unused parameters, shown secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from yaml.nodes import MappingNode, Node

from projrun.project.command import command_problem, placeholders, unknown_placeholders
from projrun.project.command_lint import place_findings
from projrun.project.entry_points import runnable_scripts
from projrun.project.files import exists
from projrun.project.model import EntryPoint, Location, Parameter, Project
from projrun.project.paths import existing_path, is_download
from projrun.project.reading import nodes
from projrun.project.reading import parameters as parameter_reader
from projrun.project.reading.keys import without_space
from projrun.project.reading.nodes import Entry
from projrun.project.reading.report import Collector, Finding
from projrun.project.shown import listed, shown
from projrun.project.text import find_text
from projrun.project.values import NUMERIC, TYPE_WORDS, constraint_problem, type_problem
from projrun.suggestions import did_you_mean

_RUN_BY = (
    r"(?:^|[;&|(\s])(?:python[0-9.]*|bash|sh|zsh|Rscript)(?:\s+-[uBOIsSE]+)*\s+"
    r"(?:\./)?([\w./-]+\.(?:py|sh|R))(?=[\s;&|)]|$)"
)
"""A script that a program runs, not one whose name a placeholder makes."""


def lint(project: Project, report: Collector) -> None:
    """Add warnings (and what only a run would notice) about a project that was read with `report`."""
    silent = Collector(report.document)  # mistakes in these mappings were reported when they were read
    if report.document.root is None:
        hint = "its .py, .sh and .R files run as scripts; declare entry points below `entry_points`"
        _add(report, "warning", Location(report.document.name, 1, 1), "the file is empty", hint, "empty-file")
    root = nodes.entries(report.document.root, "the project", silent)
    declared = nodes.entries(root["entry_points"].value if "entry_points" in root else None, "", silent)
    for name, entry in declared.items():
        found = nodes.entries(entry.value, "", silent)
        parameters = nodes.entries(found["parameters"].value if "parameters" in found else None, "", silent)
        _entry_point(project, project.entry_points[name], parameters, report)


def _entry_point(
    project: Project, entry_point: EntryPoint, declared: Mapping[str, Entry], report: Collector
) -> None:
    used = placeholders(entry_point.command, _supplied(entry_point))
    for name, entry in declared.items():
        found: Mapping[str, Entry] = {}
        if isinstance(entry.value, MappingNode):
            found = nodes.entries(entry.value, "", Collector(report.document))
        parameter = entry_point.parameters[name]
        _type(parameter, found["type"].value if "type" in found else entry.value, report)
        _constraints(parameter, found, report)
        if parameter.default is not None:
            _default(project, parameter, found["default"].value, report)
        _use(entry_point, parameter, parameter.name in used, entry, report)
    _command(project, entry_point, report)


def _type(parameter: Parameter, node: Node, report: Collector) -> None:
    word = parameter.declared_type
    if word not in TYPE_WORDS and not without_space(word, parameter_reader.KEYS):
        message = f"parameter {parameter.name!r} has an unknown type {word!r}{did_you_mean(word, TYPE_WORDS)}"
        hint = f"it runs as string; known types: {', '.join(TYPE_WORDS)}"
        report.warning("unknown-type", node, message, hint)


def _constraints(parameter: Parameter, found: Mapping[str, Entry], report: Collector) -> None:
    for key in ("min", "max"):
        if key in found and parameter.type not in NUMERIC:
            message = f"{key} has no effect on {parameter.name!r}, which is a {parameter.type}"
            report.warning("useless-limit", found[key].key, message, "declare it as float or int")
    for choice in parameter.choices:
        problem = type_problem(parameter.type, choice)
        if problem:
            report.warning(
                "bad-choice", found["choices"].value, f"the choice {choice!r} of {parameter.name!r} {problem}"
            )


def _default(project: Project, parameter: Parameter, node: Node, report: Collector) -> None:
    text = parameter.default or ""
    value = shown(text, secret=parameter.secret)
    problem = type_problem(parameter.type, text) or constraint_problem(parameter, text)
    if problem:
        message = f"the default {value} of {parameter.name!r} {problem}"
        report.warning("bad-default", node, message, "runs use it as it is")
    missing = parameter.type == "path" and existing_path(text, project.directory) is None
    if missing and not is_download(text):
        message = f"the default path {value} of {parameter.name!r} does not exist"
        report.warning("missing-path", node, message, "a run without -P for it is refused")
    if parameter.secret:
        message = f"the secret {parameter.name!r} has a default in the file"
        report.warning("secret-default", node, message, "remove it, and give the value with -P")


def _use(entry_point: EntryPoint, parameter: Parameter, used: bool, entry: Entry, report: Collector) -> None:
    if used and parameter.secret:
        report.warning(
            "secret-in-command",
            entry.key,
            f"the command names the secret {parameter.name!r}, so the process list shows it",
            "read it from its PROJRUN_PARAM_ variable instead",
        )
    if not used and not parameter.secret and entry_point.command:
        message = f"the command of {entry_point.name!r} never uses the parameter {parameter.name!r}"
        if f"{{{{{parameter.name}}}}}" in entry_point.command:
            message += ": doubled braces stay braces"
        report.warning(
            "unused-parameter", entry.key, message, f"put {{{listed([parameter.name])}}} in the command"
        )


def _command(project: Project, entry_point: EntryPoint, report: Collector) -> None:
    for name in unknown_placeholders(entry_point.command, entry_point.parameters):
        location = find_text(project.file, entry_point.location, f"{{{name}}}")
        suggestion = did_you_mean(name, entry_point.parameters)
        message = f"{{{name}}} in the command is not a parameter{suggestion}"
        hint = f"declare it below `parameters`; until then each run needs -P {name}=VALUE"
        _add(report, "warning", location, message, hint, "unknown-placeholder")
    for name in sorted(placeholders(entry_point.command, entry_point.parameters)):
        if f"${{{name}}}" in entry_point.command:
            location = find_text(project.file, entry_point.location, f"${{{name}}}")
            message = f"the dollar sign stays in front of the value of {name!r}: this is not a shell variable"
            _add(report, "warning", location, message, "remove the dollar sign", "dollar-placeholder")
    _scripts(project, entry_point, report)
    for found in place_findings(entry_point, frozenset(_supplied(entry_point))):
        location = find_text(project.file, entry_point.location, f"{{{found.name}}}", found.number)
        _add(
            report, "error" if found.is_error else "warning", location, found.message, found.hint, found.code
        )
    problem = command_problem(entry_point.command)
    if problem:
        _add(report, "error", entry_point.location, problem, "", "bad-command")


def _scripts(project: Project, entry_point: EntryPoint, report: Collector) -> None:
    if re.search(r"\bcd\s", entry_point.command):  # names are then of another folder
        return
    for name in dict.fromkeys(re.findall(_RUN_BY, entry_point.command)):
        if not name.startswith("/") and not exists(project.directory / name):
            location = find_text(project.file, entry_point.location, name)
            message = f"the command runs {name}, which is not in the project"
            near = did_you_mean(name, runnable_scripts(project.directory))
            _add(report, "warning", location, message + near, "", "missing-script")


def _supplied(entry_point: EntryPoint) -> set[str]:
    # As if each unknown placeholder were given with -P: only then the run starts.
    return {
        *entry_point.parameters,
        *unknown_placeholders(entry_point.command, entry_point.parameters),
    }


def _add(
    report: Collector,
    severity: Literal["error", "warning"],
    location: Location | None,
    message: str,
    hint: str,
    code: str,
) -> None:
    report.findings.append(Finding(severity, location, message, hint, code))
