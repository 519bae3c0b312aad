"""Reading the `parameters` of an entry point, including projrun's constraints."""

from __future__ import annotations

from collections.abc import Mapping

from yaml.nodes import MappingNode, Node

from projrun.project.model import Parameter
from projrun.project.patterns import pattern_problem
from projrun.project.reading import nodes
from projrun.project.reading.document import is_null
from projrun.project.reading.keys import check_keys, without_space
from projrun.project.reading.nodes import Entry
from projrun.project.reading.report import Report
from projrun.project.reading.scalars import author_text
from projrun.project.text import LocatedError
from projrun.project.values import TYPE_WORDS

KEYS = ("type", "default", "description", "required", "choices", "min", "max", "pattern", "secret")


def read_parameters(node: Node | None, report: Report) -> dict[str, Parameter]:
    """The declared parameters by name, in the file's order."""
    declared = nodes.entries(node, "parameters", report)
    return {name: _parameter(name, entry, report) for name, entry in declared.items()}


def _parameter(name: str, entry: Entry, report: Report) -> Parameter:
    location = report.document.locate(entry.key)
    if isinstance(entry.value, MappingNode):
        return _detailed(name, entry, report)._replace(location=location)
    word = nodes.text(entry, f"the type of parameter {name!r}", report) or "string"
    if not entry.is_null and not entry.value.tag.endswith(":str"):
        report.error(
            "bad-type",
            entry.value,
            f"{word!r} is not a type",
            f"to give a default, write `{name}: {{type: string, default: {word}}}`",
        )
    hint = without_space(word, KEYS)
    if hint:
        report.warning("no-space", entry.value, f"{word!r} is one word, which no type is", hint)
    return Parameter(name, TYPE_WORDS.get(word, "string"), word, location=location)


def _detailed(name: str, entry: Entry, report: Report) -> Parameter:
    found = nodes.entries(entry.value, f"parameter {name!r}", report)
    check_keys(found, KEYS, f"parameter {name!r}", report)
    secret = nodes.boolean(found.get("secret"), "secret", False, report)
    try:
        return _constrained(name, found, report)._replace(secret=secret)
    except LocatedError as error:
        if secret:  # the source line may hold the default
            error.detail = ""
        raise


def _constrained(name: str, found: Mapping[str, Entry], report: Report) -> Parameter:
    word = nodes.text(found.get("type"), f"the type of parameter {name!r}", report) or "string"
    minimum = nodes.number(found.get("min"), "min", report)
    maximum = nodes.number(found.get("max"), "max", report)
    if minimum is not None and maximum is not None and not minimum <= maximum:
        report.error("empty-range", found["min"].value, f"min {minimum:g} is more than max {maximum:g}")
    return Parameter(
        name=name,
        type=TYPE_WORDS.get(word, "string"),
        declared_type=word,
        default=_default(found.get("default"), report),
        required=nodes.boolean(found.get("required"), "required", True, report),
        choices=_choices(found.get("choices"), report),
        minimum=minimum,
        maximum=maximum,
        pattern=_pattern(found.get("pattern"), report),
        description=_description(found.get("description"), report),
    )


def _default(entry: Entry | None, report: Report) -> str | None:
    return None if entry is None else author_text(entry.value, report)


def _description(entry: Entry | None, report: Report) -> str:
    return "" if entry is None else author_text(entry.value, report) or ""


def _choices(entry: Entry | None, report: Report) -> tuple[str, ...]:
    listed = nodes.items(entry, "choices", report)
    if entry is not None and not entry.is_null and not listed:
        report.error("no-choices", entry.value, "choices must be a list that is not empty")
    for node in listed:
        if is_null(node):
            report.error("null-choice", node, "null cannot be a choice", "quote the word, or write ''")
    return tuple(author_text(node, report) or "" for node in listed)


def _pattern(entry: Entry | None, report: Report) -> str | None:
    pattern = nodes.text(entry, "pattern", report)
    if entry is None or pattern is None:
        return None
    problem = pattern_problem(pattern)
    if problem:
        report.error("bad-pattern", entry.value, f"the pattern is not a regular expression: {problem}")
        return None
    return pattern
