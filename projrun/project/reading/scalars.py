"""The text of a YAML value where it ends in a command or a record: as its author wrote it."""

from __future__ import annotations

import re

from yaml import YAMLError
from yaml.constructor import SafeConstructor
from yaml.nodes import Node, ScalarNode
from yaml.resolver import Resolver

from projrun.project.reading.report import Report

_PREFIX = "tag:yaml.org,2002:"
_KEPT = frozenset(_PREFIX + word for word in ("str", "int", "float", "timestamp", "value", "merge"))
_REWRITTEN = re.compile(r"[-+]?(?:0[xb]|\.(?:inf|nan)$)", re.IGNORECASE)
"""Hexadecimal and binary integers, `.inf` and `.nan`: no program reads these, so they are MLflow's `str(value)`.

An octal `0o17` is a string in YAML 1.1, so its text and MLflow's are the same. `010`, which YAML 1.1 reads
as eight, stays `010`: MLproject authors mean the digits (a postcode, a zero-padded fold number).
"""
_resolver = Resolver()


def author_text(node: Node, report: Report) -> str | None:
    """The text of a value; None for null.

    Plain integers, floats and dates keep their source text (`1e-5`, `0.10`, `010`, `12:30:45`), quoted and
    block scalars are their value; booleans (`True`), collections, and what carries a tag of its own are
    `str()` of what PyYAML's safe loader makes of them, as in MLflow.
    """
    if isinstance(node, ScalarNode) and _is_kept(node):
        return str(node.value)
    return _constructed(node, report)


def _is_kept(node: ScalarNode) -> bool:
    if node.tag == _PREFIX + "str":
        return True
    plain = not node.style
    if not plain or node.tag not in _KEPT or _REWRITTEN.match(node.value):
        return False
    # `!!float 1` asks for a conversion; the composed node no longer tells its tag from one found by the text.
    found = _resolver.resolve(ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
    return bool(found == node.tag)


def _constructed(node: Node, report: Report) -> str | None:
    try:
        value = SafeConstructor().construct_document(node)
        return None if value is None else str(value)  # a number of thousands of digits has no text
    except YAMLError as error:
        problem = getattr(error, "problem", None) or "this value is not understood"
        report.error("bad-value", node, f"YAML: {problem}")
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # What PyYAML's constructors raise for a value that does not fit its explicit tag (`!!int x`).
        report.error("bad-value", node, f"the value does not fit its tag {node.tag!r}")
    return None
