"""Reading a parsed MLproject file into a Project; every mistake has a line and a column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.model import EntryPoint, EnvironmentReference, Project
from projrun.project.reading import environments, nodes
from projrun.project.reading.environments import foreign_key, read_environments
from projrun.project.reading.keys import check_keys
from projrun.project.reading.nodes import Entry
from projrun.project.reading.outputs import read_outputs
from projrun.project.reading.parameters import read_parameters
from projrun.project.reading.report import Report
from projrun.project.text import LocatedError

ENTRY_POINT_KEYS = ("command", "parameters", "outputs", "description")
_KEYS = ("name", "entry_points", *environments.KEYS)
_NEEDED = ("command", "parameters")


def read_project(file: Path, report: Report, within: Path | None = None) -> Project:
    """The Project that a parsed MLproject file describes; mistakes go to `report`."""
    document = report.document
    found = nodes.entries(document.root, document.name, report)
    _check_keys(file, found, report, within)
    try:
        environment, *others = read_environments(file.parent, found, report, within)
    except RequestError as error:
        report.failed(error)
        environment, others = EnvironmentReference("none"), []
    name = nodes.text(found.get("name"), "name", report)
    entry_points, broken = _entry_points(found.get("entry_points"), report)
    warnings = tuple(dict.fromkeys(report.warnings))  # what is merged into two mappings is read twice
    return Project(
        file.parent, name, file, environment, entry_points, warnings, broken, tuple(others), within
    )


def _check_keys(file: Path, found: Mapping[str, Entry], report: Report, within: Path | None) -> None:
    foreign = foreign_key(file.parent, found, within)
    known = (*_KEYS, foreign) if foreign else _KEYS
    has_environment = any(key in found for key in environments.KEYS)
    needed = ("entry_points",) if has_environment else ("entry_points", *environments.KEYS)
    place = dict.fromkeys(ENTRY_POINT_KEYS, "it belongs to an entry point, below `entry_points`")
    check_keys(found, known, "the project", report, needed=needed, misplaced=place)


def _entry_points(
    entry: Entry | None, report: Report
) -> tuple[dict[str, EntryPoint], dict[str, LocatedError]]:
    """Those that can run, and the mistakes in the others: as in MLflow, only the one asked for must be right."""
    good, broken = {}, {}
    for name, declared in nodes.entries(entry.value if entry else None, "entry_points", report).items():
        try:
            good[name] = _entry_point(name, declared, report)
        except LocatedError as error:
            broken[name] = error
    return good, broken


def _entry_point(name: str, entry: Entry, report: Report) -> EntryPoint:
    found = nodes.entries(entry.value, f"entry point {name!r}", report)
    misplaced = dict.fromkeys(
        environments.KEYS, "an environment belongs to the project, beside `entry_points`"
    )
    check_keys(found, ENTRY_POINT_KEYS, f"entry point {name!r}", report, needed=_NEEDED, misplaced=misplaced)
    parameters = found.get("parameters")
    command = nodes.text(found.get("command"), "command", report)
    if not command or not command.strip():
        report.error(
            "missing-command", entry.key, f"entry point {name!r} has no command", "add `command: …` below it"
        )
    place = found["command"].value if "command" in found else entry.key
    return EntryPoint(
        name,
        command or "",
        read_parameters(parameters.value if parameters else None, report),
        report.document.locate(place),
        read_outputs(found.get("outputs"), report),
    )
