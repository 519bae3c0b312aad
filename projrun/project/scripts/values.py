"""Defaults, types and choices that all readers of command lines share."""

from __future__ import annotations

import ast

from projrun.project.scripts.description import Option
from projrun.project.scripts.syntax import UNKNOWN, Module

_TYPES = {bool: "bool", int: "int", float: "float"}


def typed(module: Module, option: Option, node: ast.AST | None, default: object, *, required: bool) -> Option:
    """The option with its default; left out where it has none that can be written, and may be left out."""
    text = text_of(module, node, default, option.kind == "list")
    if text is not None:
        return option._replace(default=text)
    if required:
        return option
    return option._replace(left_out="is computed" if default is UNKNOWN else "has no default")


def text_of(module: Module, node: ast.AST | None, value: object, is_list: bool) -> str | None:
    """The text of a default; None where there is none."""
    if is_list and isinstance(value, (list, tuple)):
        words = [str(one) for one in value]
        return " ".join(words) if words and all(word.split() == [word] for word in words) else None
    if is_list and isinstance(value, str):
        return value
    if not is_list and isinstance(value, (str, int, float)):
        return module.written(node, value)
    return None


def type_of_value(value: object) -> str:
    """The type word of a default's value."""
    return _TYPES.get(type(value), "string")


def choices_of(module: Module, node: ast.AST | None) -> tuple[str, ...]:
    """The choices as texts; none where only a run would tell."""
    found = module.value(node)
    if isinstance(found, dict):
        found = [*found]
    if not isinstance(found, (list, tuple, set)) or not all(
        isinstance(one, (str, int, float)) for one in found
    ):
        return ()
    return tuple(map(str, sorted(found, key=str) if isinstance(found, set) else found))


def help_of(module: Module, node: ast.AST | None) -> str:
    """A help text on one line."""
    found = module.value(node)
    return " ".join(found.split()) if isinstance(found, str) else ""


def documented(node: ast.AST) -> str:
    """The first line of a docstring."""
    found = ast.get_docstring(node) if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else None
    return found.strip().splitlines()[0] if found and found.strip() else ""
