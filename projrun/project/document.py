"""A YAML file as a graph of nodes that know their line and column; hostile files are refused, never expanded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple, Protocol

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from projrun.errors import RequestError
from projrun.project.model import Location

LARGEST_FILE = 1 << 20
MOST_NODES = 100_000
DEEPEST = 64
"""libyaml takes quadratic time and memory on deep nesting, so it never gets to see more."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # YAML 1.1, section 4.1.5: what libyaml counts
_EXCERPT_WIDTH = 100


class _Mark(Protocol):
    """The place of a node or an error: libyaml's and the Python parser's classes have no common base."""

    line: int
    column: int


class LocatedError(RequestError):
    """A mistake in a file, at a place: `MLproject:7:13: …` with the source line as detail."""

    def __init__(
        self,
        location: Location,
        problem: str,
        *,
        hint: str = "",
        detail: str = "",
        code: str = "invalid-yaml",
    ) -> None:
        super().__init__(f"{location}: {problem}", hint=hint, detail=detail)
        self.location = location
        self.problem = problem
        self.code = code


class Document(NamedTuple):
    """A parsed file; `root` is None when it is empty."""

    name: str
    text: str
    root: Node | None

    def locate(self, node: Node) -> Location:
        """Where a node begins."""
        return _location_of(self.name, node.start_mark)

    def excerpt(self, location: Location) -> str:
        """The source line of a place with a caret below it."""
        return excerpt(self.text, location)


def read_document(path: Path, name: str) -> Document:
    """Read and parse one YAML file; messages call it `name`.

    Raises RequestError for a file that cannot be read, is too large, not UTF-8, or not one YAML document.
    """
    return parse_document(name, read_text(path, name))


def read_text(path: Path, name: str) -> str:
    """A UTF-8 file's text without its byte order mark; RequestError where it is not one."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise RequestError(f"cannot read {name}: {error.strerror or error}") from error
    if len(data) > LARGEST_FILE:
        raise RequestError(f"{name} is larger than {LARGEST_FILE >> 20} MiB", hint="is it the right file?")
    return decode(name, data)


def decode(name: str, data: bytes) -> str:
    """Bytes as UTF-8, a byte order mark dropped; RequestError at the first byte that is not."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        raise LocatedError(
            _location_at(name, before, len(before)),
            f"byte 0x{data[error.start]:02x} is not UTF-8 text",
            hint="save the file as UTF-8",
            code="not-utf-8",
        ) from None


def parse_document(name: str, text: str) -> Document:
    """Parse one YAML document; raises LocatedError."""
    document = Document(name, text, None)
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


def excerpt(text: str, location: Location) -> str:
    """The source line of a place, control characters blanked, with a caret below; "" where there is none."""
    lines = _LINE_BREAK.split(text, location.line)
    if not 0 < location.line <= len(lines):
        return ""
    column = location.column - 1
    start = max(0, column - _EXCERPT_WIDTH * 3 // 4)
    shown = lines[location.line - 1][start : start + _EXCERPT_WIDTH]
    shown = "".join(character if character.isprintable() else " " for character in shown)
    if not shown.strip():
        return ""
    return f"{shown.rstrip()}\n{' ' * (column - start)}^"


def excerpt_of_file(path: Path | None, location: Location | None) -> str:
    """As `excerpt`, from a file that was read before; "" when it has gone."""
    if path is None or location is None:
        return ""
    try:
        return excerpt(read_text(path, location.file), location)
    except RequestError:
        return ""


def find_text(path: Path | None, start: Location | None, wanted: str) -> Location | None:
    """The first place of `wanted` in a file, at or after `start`; `start` itself when it is not found."""
    if path is None or start is None:
        return start
    try:
        text = read_text(path, start.file)
    except RequestError:
        return start
    offset = _offset_of(text, start)
    found = text.find(wanted, offset)
    return start if found < 0 else _location_at(start.file, text, found)


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
    lines = _LINE_BREAK.split(document.text)
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
    location = _location_at(document.name, document.text, found.start())
    problem = f"the character U+{ord(found.group()):04X} is not allowed in YAML"
    return LocatedError(location, problem, hint="remove it", detail=document.excerpt(location))


def _location_of(name: str, mark: _Mark | None) -> Location:
    return Location(name, mark.line + 1, mark.column + 1) if mark else Location(name, 1, 1)


def _location_at(name: str, text: str, offset: int) -> Location:
    before = _LINE_BREAK.split(text[:offset])
    return Location(name, len(before), len(before[-1]) + 1)


def _offset_of(text: str, location: Location) -> int:
    offset = 0
    for _ in range(location.line - 1):
        found = _LINE_BREAK.search(text, offset)
        if found is None:
            return offset
        offset = found.end()
    return offset + location.column - 1


def is_null(node: Node | None) -> bool:
    """Whether a value is left out or null."""
    return node is None or (isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null")
