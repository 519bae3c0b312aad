"""A small parser for plain command lines, from the table of options: click costs more time than the rest.

A plain line has the options of its command by their whole long name or their short letter, each value after it or
after `=`, and one URI. All else is left to click, as is every mistake: what this parser takes, click reads in the
same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from projrun.settings.options import Option, options_of
from projrun.tuples import NamedTuple

_COMPLETION = "_PROJRUN_COMPLETE"
"""The variable by which a shell asks click for completions."""

Name = Literal["run", "plan"]
_COMMANDS: Mapping[str, Name] = {"run": "run", "plan": "plan"}


class Line(NamedTuple):
    """A command, and the values of its options by keyword, as click gives them."""

    command: Name
    values: Mapping[str, Any]


def read_plain_line(words: Sequence[str], environ: Mapping[str, str]) -> Line | None:
    """The line, or None where click is to read it."""
    if not words or environ.get(_COMPLETION):
        return None
    name = _COMMANDS.get(words[0])
    if name is None:
        return None
    values = _read(words[1:], options_of(name))
    return None if values is None else Line(name, values)


def _read(words: Sequence[str], options: Sequence[Option]) -> dict[str, Any] | None:
    """The values by keyword; None for anything that is not plain."""
    known = {f"--{option.name}": option for option in options}
    known |= {f"-{option.short}": option for option in options if option.short}
    values: dict[str, Any] = {option.keyword: _absent(option) for option in options}
    uris = []
    left = iter(words)
    for word in left:
        if not word.startswith("-"):
            uris.append(word)
        elif not _take(word, left, known, values):
            return None
    if len(uris) != 1 or not uris[0]:
        return None
    return {"uri": uris[0], **values}


def _take(word: str, left: Iterator[str], known: Mapping[str, Option], values: dict[str, Any]) -> bool:
    """Put the option of a word, and its value, among the values; False where that is not plain."""
    name, equals, value = word.partition("=")
    option = known.get(name)
    if option is None or (equals and (option.kind == "flag" or not name.startswith("--"))):
        return False
    if option.kind == "flag":
        values[option.keyword] = True
        return True
    if not equals:
        value = next(left, "-")
    if not value or value.startswith("-"):
        return False
    values[option.keyword] = (*values[option.keyword], value) if option.kind == "repeated" else value
    return True


def _absent(option: Option) -> object:
    if option.kind == "flag":
        return False
    return () if option.kind == "repeated" else None
