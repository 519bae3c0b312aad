"""Parameter values from a file (`--params-file`)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from yaml.nodes import Node, ScalarNode

from projrun.errors import RequestError
from projrun.project.model import Location
from projrun.project.reading import nodes
from projrun.project.reading.document import parse_document
from projrun.project.reading.report import Report
from projrun.project.reading.scalars import author_text
from projrun.project.text import LocatedError, read_text


def read_parameters_file(path: Path) -> dict[str, str]:
    """A YAML or JSON mapping of names to scalars; a number keeps its source text, as a default does.

    Raises RequestError, with line and column, for anything else: lists, mappings and null are not values.
    The line itself is not shown, since such files are where secrets are kept.
    """
    name = str(path)
    text = read_text(path, name)
    try:
        return _from_json(name, text) if path.suffix.lower() == ".json" else _from_yaml(name, text)
    except LocatedError as error:
        error.detail = ""
        raise


class _Strict(Report):
    """No value of a file that only projrun reads is in doubt: what is a warning elsewhere is an error here."""

    def warning(self, code: str, node: Node, problem: str, hint: str = "") -> None:
        self.error(code, node, problem, hint)


def _from_yaml(name: str, text: str) -> dict[str, str]:
    document = parse_document(name, text)
    report = _Strict(document)
    values: dict[str, str] = {}
    for key, entry in nodes.entries(document.root, name, report).items():
        value = author_text(entry.value, report) if isinstance(entry.value, ScalarNode) else None
        if value is None:
            report.error("bad-value", entry.value, _no_value(key), _hint())
        values[key] = value or ""
    return values


def _from_json(name: str, text: str) -> dict[str, str]:
    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
            raise _at_key(name, text, twice, f"duplicate key {twice!r}", "keep one of them")
        return found

    try:
        content = json.loads(
            text, object_pairs_hook=mapping, parse_float=str, parse_int=str, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        location = Location(name, error.lineno, error.colno)
        raise LocatedError(location, f"JSON: {error.msg}") from None
    except RecursionError:
        raise RequestError(f"{name} is nested too deeply") from None
    if not isinstance(content, dict):
        raise LocatedError(Location(name, 1, 1), f'{name} must be a mapping of names, as in {{"name": 1}}')
    return {key: _json_text(name, text, key, value) for key, value in content.items()}


def _constant(word: str) -> str:
    return str(float(word))  # NaN, Infinity and -Infinity, as a default's `.nan` and `.inf`


def _json_text(name: str, text: str, key: str, value: object) -> str:
    if isinstance(value, (str, bool)):
        return str(value)
    raise _at_key(name, text, key, _no_value(key), _hint())


def _at_key(name: str, text: str, key: str, problem: str, hint: str) -> LocatedError:
    found = list(re.finditer(rf'"{re.escape(key)}"\s*:', text))
    before = text[: found[-1].start() if found else 0]
    location = Location(name, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return LocatedError(location, problem, hint=hint)


def _no_value(key: str) -> str:
    return f"the value of {key!r} must be text, a number or a boolean"


def _hint() -> str:
    return "remove the parameter, or write its value as quoted text"
