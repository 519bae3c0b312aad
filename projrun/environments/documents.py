"""Environment files in YAML, read as text with positions: `python: 3.10` must not become 3.1."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from projrun.errors import RequestError
from projrun.project.model import Location

_LARGEST_FILE = 4 * 1024 * 1024
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Text(NamedTuple):
    """A scalar as the author wrote it, and where."""

    value: str
    location: Location


def read_text(file: Path, name: str) -> str:
    """The content of a regular file of sane size; `name` is what messages call it. Raises RequestError."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RequestError(f"{name} is not a regular file")
        if status.st_size > _LARGEST_FILE:
            raise RequestError(f"{name} is larger than {_LARGEST_FILE // 1024 // 1024} MB")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError(f"{name} is not a text file in UTF-8") from None
    except OSError as error:
        raise RequestError(f"{name} cannot be read: {error.strerror}") from None


def parse_toml(text: str) -> dict[str, Any]:
    """A TOML text; raises ValueError that says where it is wrong."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return dict(tomllib.loads(text))


class Document:
    """The top mapping of a YAML file."""

    def __init__(self, file: Path, name: str) -> None:
        """Raises RequestError with file, line and column for what is not YAML or no mapping."""
        self.name = name
        self._lines = read_text(file, name)
        try:
            node = yaml.compose(self._lines, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._error(mark, error.problem or "not YAML") from None
        except yaml.YAMLError as error:
            raise RequestError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
        self._top: dict[str, yaml.Node] = {}
        if node is None or _is_null(node):
            return
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node.start_mark, "expected `key: value` lines")
        for key, value in node.value:
            self._top[str(key.value)] = value

    def text(self, key: str) -> Text | None:
        """The scalar under `key`, None where there is none."""
        node = self._top.get(key)
        return None if node is None or _is_null(node) else self._text(node)

    def texts(self, key: str) -> Iterator[Text]:
        """The items of the list of scalars under `key`."""
        for node in self.items(key):
            yield self._text(node)

    def items(self, key: str) -> list[yaml.Node]:
        """The items of the list under `key`; none where it is missing or null."""
        node = self._top.get(key)
        if node is None or _is_null(node):
            return []
        return self.sequence(node, key)

    def mapping(self, key: str) -> list[tuple[Text, Text]]:
        """The items of the mapping of scalars under `key`."""
        node = self._top.get(key)
        if node is None or _is_null(node):
            return []
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node.start_mark, f"{key!r} must be a mapping")
        return [(self._text(name), self._text(value)) for name, value in node.value]

    def sequence(self, node: yaml.Node, key: str) -> list[yaml.Node]:
        """The items of a node that must be a list."""
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node.start_mark, f"{key!r} must be a list")
        return list(node.value)

    def scalar(self, node: yaml.Node) -> Text:
        """The text of a node that must be a scalar."""
        return self._text(node)

    def error(self, location: Location, problem: str, *, hint: str = "") -> RequestError:
        """The error that names the place and shows its line."""
        lines = self._lines.splitlines()
        shown = lines[location.line - 1] if location.line <= len(lines) else ""
        return RequestError(f"{location}: {problem}", hint=hint, detail=shown)

    def location(self, node: yaml.Node) -> Location:
        """Where a node begins."""
        return self._at(node.start_mark)

    def _text(self, node: yaml.Node) -> Text:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node.start_mark, "expected text", hint="quote a line that holds `: `")
        return Text(str(node.value).strip(), self._at(node.start_mark))

    def _at(self, mark: yaml.Mark | None) -> Location:
        return Location(self.name, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)

    def _error(self, mark: yaml.Mark | None, problem: str, *, hint: str = "") -> RequestError:
        return self.error(self._at(mark), problem, hint=hint)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
