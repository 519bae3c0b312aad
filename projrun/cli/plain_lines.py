"""A small parser for plain command lines, from the table of options: click costs more time than the rest.

A plain line has the options of its command by their whole long name or their short letter, each value after it or
after `=`, and one URI where the command takes one. All else is left to click, as is every mistake: what this parser
takes, click reads in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from projrun.settings.options import MOST_RESULTS, RUNS_LIST, Option, options_of
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Literal

    Name = Literal["run", "plan", "runs list"]

COMPLETION = "_PROJRUN_COMPLETE"
"""The variable by which a shell asks click for completions."""


class Line(NamedTuple):
    """A command, and the values of its options by keyword, as click gives them."""

    command: Name
    values: Mapping[str, Any]


def read_plain_line(words: Sequence[str], environ: Mapping[str, str]) -> Line | None:
    """The line, or None where click is to read it."""
    if not words or environ.get(COMPLETION):
        return None
    found: Line | None = None
    if words[0] == "run":
        found = _read("run", words[1:], options_of("run"))
    elif words[0] == "plan":
        found = _read("plan", words[1:], options_of("plan"))
    elif list(words[:2]) == ["runs", "list"]:
        found = _read("runs list", words[2:], RUNS_LIST)
    return found


def _read(command: Name, words: Sequence[str], options: Sequence[Option]) -> Line | None:
    """The line of a command; None for anything that is not plain."""
    known = {f"--{option.name}": option for option in options}
    known |= {f"-{option.short}": option for option in options if option.short}
    known |= {f"--{option.also}": option for option in options if option.also}
    values: dict[str, Any] = {option.keyword: _absent(option) for option in options}
    uris = []
    left = iter(words)
    for word in left:
        if not word.startswith("-"):
            uris.append(word)
        elif not _take(word, left, known, values):
            return None
    if command == "runs list":
        return None if uris else Line(command, values)
    return Line(command, {"uri": uris[0], **values}) if len(uris) == 1 and uris[0] else None


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
    if option.kind == "count":
        values[option.keyword] = _count(value)
        return values[option.keyword] is not None
    values[option.keyword] = (*values[option.keyword], value) if option.kind == "repeated" else value
    return True


def _count(text: str) -> int | None:
    """A plain number that is allowed."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_RESULTS))):
        return None
    return int(text) if 1 <= int(text) <= MOST_RESULTS else None


def _absent(option: Option) -> object:
    if option.kind == "count":
        return int(option.default)
    if option.kind == "flag":
        return False
    return () if option.kind == "repeated" else None
