"""GraphQL's query language, as far as clients of MLflow use it: fields, aliases, arguments, variables, fragments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from projrun.errors import InvalidValueError

DEEPEST, MOST_FIELDS = 10, 1_000
_LONGEST = 100_000
_TOKEN = re.compile(
    r"""(?P<skip>[\s,\ufeff]+|\#[^\n\r]*)|(?P<name>[_A-Za-z]\w*)|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"""
    r"""|(?P<text>"(?:[^"\\\n\r]|\\.)*")|(?P<sign>\.\.\.|[{}()\[\]:!$@=|&])""",
    re.ASCII,
)
_CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "null": None}


class Field(NamedTuple):
    """What a query asks for; its answer has the name `key`."""

    key: str
    name: str
    arguments: dict[str, Any]
    fields: tuple[Field, ...]


class Query(NamedTuple):
    """An operation, with its fragments in their places."""

    kind: str
    fields: tuple[Field, ...]


class _Spread(NamedTuple):
    """A fragment by its name, or one that stands in its place."""

    name: str
    fields: _Selection = ()


class _Asked(NamedTuple):
    """A field before the fragments are known."""

    key: str
    name: str
    arguments: dict[str, Any]
    fields: _Selection


_Selection = tuple["_Asked | _Spread", ...]


def parse(text: str, variables: Mapping[str, Any], operation: str = "") -> Query:
    """The operation of a document: the one of that name, else the first. Raises InvalidValueError."""
    if len(text) > _LONGEST:
        raise InvalidValueError(f"a GraphQL query may have at most {_LONGEST} characters")
    return _Parser(text, variables).document(operation)


class _Parser:
    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self._variables = variables
        self._given: dict[str, Any] = {}
        self._count = 0

    def document(self, wanted: str) -> Query:
        operations: list[tuple[str, str, _Selection]] = []
        fragments: dict[str, _Selection] = {}
        while self._next:
            if self._next == "fragment":
                self._take()
                name = self._name()
                self._expect("on")
                self._name()
                self._directives()
                fragments[name] = self._selection(1)
            else:
                operations.append(self._operation())
        for kind, name, fields in operations:
            if wanted in ("", name):
                return Query(kind, tuple(_expanded(fields, fragments, [0])))
        raise InvalidValueError("Syntax Error: the query has no such operation")

    def _operation(self) -> tuple[str, str, _Selection]:
        kind = "query"
        if self._next != "{":
            kind = self._take()
            if kind not in ("query", "mutation"):
                raise self._error(kind)
        name = "" if self._next in ("(", "@", "{") else self._name()
        self._given = {}
        self._group("(", ")", self._variable)
        self._directives()
        return kind, name, self._selection(1)

    def _variable(self) -> None:
        self._expect("$")
        name = self._name()
        self._expect(":")
        while self._next in ("[", "]", "!") or (self._next and self._next.isidentifier()):
            self._take()
        default = None
        if self._accept("="):
            default = self._value()
        self._given[name] = self._variables.get(name, default)

    def _selection(self, depth: int) -> _Selection:
        if depth > DEEPEST:
            raise InvalidValueError(f"Query exceeds maximum depth of {DEEPEST}")
        self._expect("{")
        fields: list[_Asked | _Spread] = []
        while not self._accept("}"):
            self._count += 1
            if self._count > MOST_FIELDS:
                raise InvalidValueError(f"Query exceeds maximum total selections of {MOST_FIELDS}")
            fields.append(self._spread(depth) if self._accept("...") else self._field(depth))
        if not fields:
            raise self._error("}")
        return tuple(fields)

    def _spread(self, depth: int) -> _Spread:
        if self._next not in ("on", "{", "@"):
            name = self._name()
            self._directives()
            return _Spread(name)
        if self._accept("on"):
            self._name()
        self._directives()
        return _Spread("", self._selection(depth + 1))

    def _field(self, depth: int) -> _Asked:
        key = name = self._name()
        if self._accept(":"):
            name = self._name()
        arguments: dict[str, Any] = {}
        self._group("(", ")", lambda: arguments.__setitem__(*self._pair()))
        self._directives()
        return _Asked(key, name, arguments, self._selection(depth + 1) if self._next == "{" else ())

    def _pair(self) -> tuple[str, Any]:
        name = self._name()
        self._expect(":")
        return name, self._value()

    def _directives(self) -> None:
        """`@component(name: "…")`, which is for who observes the page."""
        while self._accept("@"):
            if self._name() in ("skip", "include"):
                raise InvalidValueError("the directives @skip and @include are not supported")
            self._group("(", ")", self._pair)

    def _value(self, depth: int = 0) -> Any:
        if depth > DEEPEST:
            raise InvalidValueError(f"Query exceeds maximum depth of {DEEPEST}")
        word = self._take()
        if word == "$":
            return self._given.get(self._name())
        if word == "[":
            values = []
            while not self._accept("]"):
                values.append(self._value(depth + 1))
            return values
        if word == "{":
            pairs = {}
            while not self._accept("}"):
                name = self._name()
                self._expect(":")
                pairs[name] = self._value(depth + 1)
            return pairs
        return self._scalar(word)

    def _scalar(self, token: str) -> Any:
        if token[:1] in ('"', "-") or token[:1].isdigit():
            try:
                return json.loads(token)
            except ValueError:
                raise self._error(token) from None
        if not token.isidentifier():
            raise self._error(token)
        return _CONSTANTS.get(token, token)

    def _group(self, opening: str, closing: str, item: Callable[[], Any]) -> None:
        if self._accept(opening):
            while not self._accept(closing):
                item()

    @property
    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next
        if not token:
            raise self._error("<EOF>")
        self._place += 1
        return token

    def _accept(self, token: str) -> bool:
        if self._next != token:
            return False
        self._place += 1
        return True

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise self._error(self._tokens[self._place - 1])

    def _name(self) -> str:
        token = self._take()
        if not token.isidentifier():
            raise self._error(token)
        return token

    def _error(self, token: str) -> InvalidValueError:
        return InvalidValueError(f"Syntax Error: Unexpected {token!r}.")


def _expanded(
    fields: _Selection, fragments: Mapping[str, _Selection], count: list[int], depth: int = 1
) -> Iterator[Field]:
    """Fields, with those of fragments; a few fragments could stand for any number of fields."""
    if depth > DEEPEST:
        raise InvalidValueError(f"Query exceeds maximum depth of {DEEPEST}")
    for field in fields:
        count[0] += 1
        if count[0] > MOST_FIELDS:
            raise InvalidValueError(f"Query exceeds maximum total selections of {MOST_FIELDS}")
        if isinstance(field, _Asked):
            inner = tuple(_expanded(field.fields, fragments, count, depth + 1)) if field.fields else ()
            yield Field(field.key, field.name, field.arguments, inner)
            continue
        spread = field.fields or fragments.get(field.name)
        if spread is None:
            raise InvalidValueError(f"Unknown fragment {field.name!r}.")
        yield from _expanded(spread, fragments, count, depth + 1)


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise InvalidValueError(f"Syntax Error: Unexpected character {text[place]!r}.")
        place = found.end()
        if found.lastgroup != "skip":
            yield found[0]
