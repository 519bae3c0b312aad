"""Reading YAML nodes into plain values: the entries of a mapping, texts, numbers, lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from projrun.project.reading.document import is_null
from projrun.project.reading.report import Report
from projrun.project.reading.scalars import author_text

_MERGE = "tag:yaml.org,2002:merge"
_BOOL = "tag:yaml.org,2002:bool"


class Entry(NamedTuple):
    """A key of a mapping, with its value."""

    key: Node
    value: Node

    @property
    def is_null(self) -> bool:
        """Whether the key has no value."""
        return is_null(self.value)


def entries(node: Node | None, what: str, report: Report) -> dict[str, Entry]:
    """The entries of a mapping by their keys' text; none for null. Merge keys (`<<`) are followed.

    Reports what is not a mapping, and duplicate keys, of which the last one counts, as in MLflow.
    """
    if node is None or is_null(node):
        return {}
    if not isinstance(node, MappingNode):
        report.error("not-a-mapping", node, f"{what} must be a mapping of names, as in `name: value`")
        return {}
    merged: dict[str, Entry] = {}
    own: dict[str, Entry] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            for name, entry in _merged(value, report):
                merged.setdefault(name, entry)
        else:
            _add_key(own, Entry(key, value), report)
    return {**merged, **own}


def _merged(node: Node, report: Report) -> Iterator[tuple[str, Entry]]:
    # The YAML merge key type: of several mappings, the earlier ones win.
    for source in node.value if isinstance(node, SequenceNode) else [node]:
        yield from entries(source, "what a merge key (<<) names", report).items()


def _add_key(own: dict[str, Entry], entry: Entry, report: Report) -> None:
    if not isinstance(entry.key, ScalarNode):
        report.error("bad-key", entry.key, "a key must be a plain word")
        return
    name = entry.key.value
    if name in own:
        first = report.document.locate(own[name].key)
        report.warning(
            "duplicate-key",
            entry.key,
            f"duplicate key {name!r}, first used on line {first.line}",
            "keep one of them: the last one counts",
        )
    own[name] = entry


def text(entry: Entry | None, what: str, report: Report) -> str | None:
    """A scalar's text as the author wrote it; None where it is left out or null."""
    if entry is None or entry.is_null:
        return None
    if not isinstance(entry.value, ScalarNode):
        report.error("not-text", entry.value, f"{what} must be text, not a list or a mapping")
        return None
    return str(entry.value.value)


def boolean(entry: Entry | None, what: str, default: bool, report: Report) -> bool:
    """A YAML boolean (`true`, `false`, `yes`, `no`, `on`, `off`), `default` where it is left out."""
    if entry is None or entry.is_null:
        return default
    if entry.value.tag == _BOOL and isinstance(entry.value, ScalarNode):
        return entry.value.value.lower() in ("true", "yes", "on")
    report.error("not-a-boolean", entry.value, f"{what} must be true or false")
    return default


def number(entry: Entry | None, what: str, report: Report) -> float | None:
    """A number, None where it is left out."""
    value = None if entry is None or entry.is_null else author_text(entry.value, report)
    if entry is None or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        report.error("not-a-number", entry.value, f"{what} must be a number")
        return None


def items(entry: Entry | None, what: str, report: Report) -> list[Node]:
    """The nodes of a list, none where it is left out."""
    if entry is None or entry.is_null:
        return []
    if not isinstance(entry.value, SequenceNode):
        report.error("not-a-list", entry.value, f"{what} must be a list, as in `[a, b]`")
        return []
    return list(entry.value.value)
