"""A module's syntax tree, and what can be said of its expressions without running it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path

from projrun.project.model import Location
from projrun.project.text import LocatedError, excerpt, read_text

UNKNOWN = object()
"""The value of an expression that only a run would tell."""


class Module:
    """A parsed script: its imports, constants, functions and classes by name."""

    def __init__(self, file: Path) -> None:
        """Raises RequestError for what is not Python."""
        self.text = read_text(file, file.name)
        self.tree = _parsed(self.text, file.name)
        self.imports = dict(_imports(self.tree))
        """What a name was imported as: `np` is `numpy`, `option` is `click.option`."""
        self.constants: dict[str, ast.expr] = {}
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        for node in self.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.constants[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self.constants[node.target.id] = node.value

    def calls(self, within: ast.AST | None = None) -> Iterator[ast.Call]:
        """All calls, in the order of the text."""
        found = [node for node in ast.walk(within or self.tree) if isinstance(node, ast.Call)]
        yield from sorted(found, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))

    def dotted(self, node: ast.AST | None) -> str:
        """The name of an expression, imports resolved: `click.option`; empty for anything but a name."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            before = self.dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        return ""

    def value(self, node: ast.AST | None) -> object:
        """The value of a literal, or of a constant of the module; UNKNOWN for anything else."""
        if isinstance(node, ast.Name):
            node = self.constants.get(node.id)
        if node is None:
            return UNKNOWN
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return UNKNOWN

    def written(self, node: ast.AST | None, value: object) -> str:
        """The text of a value on a command line: a number as its author wrote it (`1e-3`)."""
        if isinstance(node, ast.Name):
            node = self.constants.get(node.id)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        source = ast.get_source_segment(self.text, node) if node is not None and is_number else None
        return str(value) if source is None or "_" in source or not source.isascii() else source.strip("()")


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """The named arguments of a call."""
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _parsed(text: str, name: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `"\\d"`, which is no business of ours
            return ast.parse(text)
    except SyntaxError as error:
        location = Location(name, error.lineno or 1, max(1, error.offset or 1))
        raise LocatedError(
            location, f"not Python: {error.msg}", detail=excerpt(text, location), code="not-python"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise LocatedError(Location(name, 1, 1), f"not Python: {error}", code="not-python") from None


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
