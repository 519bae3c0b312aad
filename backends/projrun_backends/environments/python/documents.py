"""Environment files in YAML, read as text with positions: `python: 3.10` must not become 3.1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from projrun.project.model import Location
from projrun.project.reading.document import is_null, read_document
from projrun.project.reading.keys import NEEDED_OF_ENVIRONMENTS, check_keys
from projrun.project.reading.nodes import Entry
from projrun.project.reading.report import Report
from projrun.project.text import LocatedError
from projrun.tuples import NamedTuple


class Text(NamedTuple):
    """A scalar as the author wrote it, and where."""

    value: str
    location: Location


class EnvironmentDocument:
    """The top mapping of an environment file."""

    def __init__(self, file: Path, name: str, known: tuple[str, ...]) -> None:
        """`name` is what messages call the file, `known` are its keys. Raises RequestError with line and column for
        what is wrong, also for a key that misspells `dependencies` or `python` where these are absent.
        """
        self._document = read_document(file, name)
        self._top: dict[str, Node] = {}
        self.warnings: tuple[str, ...] = ()
        root = self._document.root
        if root is None or is_null(root):
            return
        if not isinstance(root, MappingNode):
            raise self.error(self._document.locate(root), "expected `key: value` lines")
        for key, value in root.value:
            self._top[str(key.value)] = value
        report = Report(self._document)
        found = {str(key.value): Entry(key, value) for key, value in root.value}
        check_keys(found, known, name, report, needed=NEEDED_OF_ENVIRONMENTS)
        self.warnings = tuple(report.warnings)

    def text(self, key: str) -> Text | None:
        """The scalar under `key`, None where there is none."""
        node = self._top.get(key)
        return None if node is None or is_null(node) else self.scalar(node)

    def texts(self, key: str) -> Iterator[Text]:
        """The items of the list of texts under `key`."""
        for node in self.items(key):
            yield self.item(node)

    def items(self, key: str) -> list[Node]:
        """The items of the list under `key`; none where it is missing or null."""
        node = self._top.get(key)
        return [] if node is None or is_null(node) else self.sequence(node, key)

    def mapping(self, key: str) -> list[tuple[Text, Text]]:
        """The items of the mapping of scalars under `key`."""
        node = self._top.get(key)
        if node is None or is_null(node):
            return []
        if not isinstance(node, MappingNode):
            raise self.error(self._document.locate(node), f"{key!r} must be a mapping")
        return [(self.scalar(name), self.scalar(value)) for name, value in node.value]

    def sequence(self, node: Node, key: str) -> list[Node]:
        """The items of a node that must be a list."""
        if not isinstance(node, SequenceNode):
            raise self.error(self._document.locate(node), f"{key!r} must be a list")
        return list(node.value)

    def scalar(self, node: Node) -> Text:
        """The text of a node that must be a scalar."""
        location = self._document.locate(node)
        if not isinstance(node, ScalarNode):
            raise self.error(location, "expected text", hint="quote a line that holds `: `")
        return Text(str(node.value).strip(), location)

    def item(self, node: Node) -> Text:
        """The text of a node of a list: no null, number or boolean, which no package is named after."""
        text = self.scalar(node)
        if node.tag != "tag:yaml.org,2002:str":
            raise self.error(text.location, "expected text", hint="remove it, or put it in quotes")
        return text

    def error(self, location: Location, problem: str, *, hint: str = "") -> LocatedError:
        """The error that names the place and shows its line."""
        return LocatedError(location, problem, hint=hint, detail=self._document.excerpt(location))
