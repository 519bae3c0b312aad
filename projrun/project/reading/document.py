"""A YAML file as a graph of nodes that know their line and column; hostile files are refused, never expanded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple, Protocol

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from projrun.project.model import Location
from projrun.project.text import LINE_BREAK, LocatedError, excerpt, is_of_project, location_at, read_text

MOST_NODES = 100_000
DEEPEST = 64
"""libyaml takes quadratic time and memory on deep nesting, so it never gets to see more."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Mark(Protocol):
    """The place of a node or an error: libyaml's and the Python parser's classes have no common base."""

    line: int
    column: int


class Document(NamedTuple):
    """A parsed file; `root` is None when it is empty."""

    name: str
    text: str
    root: Node | None
    shown: bool = True
    """Whether messages may show its lines."""

    def locate(self, node: Node) -> Location:
        """Where a node begins."""
        return _location_of(self.name, node.start_mark)

    def excerpt(self, location: Location) -> str:
        """The source line of a place with a caret below it."""
        return excerpt(self.text, location) if self.shown else ""


def read_document(path: Path, name: str) -> Document:
    """Read and parse one YAML file; messages call it `name`.

    Raises RequestError for a file that cannot be read, is too large, not UTF-8, or not one YAML document.
    """
    return parse_document(name, read_text(path, name), shown=is_of_project(path, name))


def parse_document(name: str, text: str, *, shown: bool = True) -> Document:
    """Parse one YAML document; raises LocatedError, which shows lines of the text if they may be shown."""
    document = Document(name, text, None, shown)
    try:
        has_aliases = _guard(document, text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise _first_mistake(document, error) from None
    except yaml.reader.ReaderError as error:
        raise _character_error(document, error) from None
    document = document._replace(root=root)
    if has_aliases and root is not None:
        _refuse_expansion(document, root)
    return document


def _guard(document: Document, text: str) -> bool:
    # Events come one by one, so a bomb is noticed before anything that grows with it is built.
    depth = nodes = documents = aliases = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            aliases += isinstance(event, yaml.AliasEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if depth > DEEPEST or nodes > MOST_NODES or documents > 1:
            raise _guard_error(document, event, depth, documents)
    return aliases > 0


def _guard_error(document: Document, event: yaml.Event, depth: int, documents: int) -> LocatedError:
    location = _location_of(document.name, event.start_mark)
    detail = document.excerpt(location)
    if documents > 1:
        hint = "remove the line `---` and what follows it"
        return LocatedError(location, "a second YAML document begins here", hint=hint, detail=detail)
    problem = f"nested deeper than {DEEPEST} levels" if depth > DEEPEST else f"more than {MOST_NODES} values"
    return LocatedError(location, problem, detail=detail)


def _refuse_expansion(document: Document, root: Node) -> None:
    """Refuse aliases that refer to themselves or multiply; what is left may be walked without care."""
    measured: dict[int, tuple[int, int]] = {}
    open_nodes: set[int] = set()

    def measure(node: Node) -> tuple[int, int]:
        known = measured.get(id(node))
        if known is not None:
            return known
        if id(node) in open_nodes:
            raise _alias_error(document, node, "this anchor contains an alias of itself")
        open_nodes.add(id(node))
        sizes = [measure(child) for child in _children(node)]
        open_nodes.discard(id(node))
        size = _weight(node) + sum(child_size for child_size, _ in sizes)
        depth = 1 + max((child_depth for _, child_depth in sizes), default=0)
        if size > MOST_NODES or depth > DEEPEST:
            raise _alias_error(document, node, "its aliases expand to too much")
        measured[id(node)] = size, depth
        return size, depth

    measure(root)


def _weight(node: Node) -> int:
    # Long texts count for more: a thousand aliases of one of them are a bomb too.
    return 1 + len(node.value) // 16 if isinstance(node, ScalarNode) else 1


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _alias_error(document: Document, node: Node, problem: str) -> LocatedError:
    location = document.locate(node)
    return LocatedError(location, problem, detail=document.excerpt(location))


def _first_mistake(document: Document, error: yaml.MarkedYAMLError) -> LocatedError:
    # The scanner runs ahead of the events that `_guard` counts, and since PyYAML 6.0.4 it has a nesting limit of its
    # own. What stands before the place where it stopped decides, so that every version reports the same place.
    if error.problem_mark is not None:
        before = document.text[: max(0, error.problem_mark.index - 2)]
        try:
            _guard(document, before)
        except LocatedError as mistake:
            return mistake
        except yaml.MarkedYAMLError as earlier:
            if earlier.problem_mark is not None and earlier.problem_mark.index < len(before):
                error = earlier
        except yaml.reader.ReaderError:
            pass
    return _syntax_error(document, error)


def _syntax_error(document: Document, error: yaml.MarkedYAMLError) -> LocatedError:
    location = _location_of(document.name, error.problem_mark or error.context_mark)
    lines = re.split(LINE_BREAK, document.text)
    if location.line > len(lines):  # libyaml ends a last line that has no line break
        location = Location(document.name, len(lines), len(lines[-1]) + 1)
    detail = document.excerpt(location)
    line = lines[location.line - 1]
    indented_by_tab = "\t" in line[: len(line) - len(line.lstrip())]
    hint = "YAML is indented with spaces, not with tabs" if indented_by_tab else ""
    return LocatedError(location, f"YAML: {_syntax_problem(error)}", hint=hint, detail=detail)


def _syntax_problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "this is not understood"
    if not error.context:
        return problem
    since = f" that begins on line {error.context_mark.line + 1}" if error.context_mark else ""
    return f"{problem} ({error.context}{since})"


def _character_error(document: Document, error: yaml.reader.ReaderError) -> LocatedError:
    # libyaml gives a byte offset and the Python reader a character's; the text itself is the better witness.
    found = yaml.reader.Reader.NON_PRINTABLE.search(document.text)
    if found is None:
        return LocatedError(Location(document.name, 1, 1), f"YAML: {error.reason}")
    location = location_at(document.name, document.text, found.start())
    problem = f"the character U+{ord(found.group()):04X} is not allowed in YAML"
    return LocatedError(location, problem, hint="remove it", detail=document.excerpt(location))


def _location_of(name: str, mark: _Mark | None) -> Location:
    return Location(name, mark.line + 1, mark.column + 1) if mark else Location(name, 1, 1)


def is_null(node: Node | None) -> bool:
    """Whether a value is left out or null."""
    return node is None or (isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null")
