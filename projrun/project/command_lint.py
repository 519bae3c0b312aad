"""What `check` says about where placeholders stand: values that a run would refuse, and text that is read as code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from projrun.project.command import MisplacedError, Refusal, earlier, is_plain, pieces_of, render
from projrun.project.model import EntryPoint, Parameter
from projrun.project.quoting.places import PLACEHOLDER, UNFINISHED, Place
from projrun.project.quoting.writing import places_of
from projrun.project.shown import shown
from projrun.project.values import NUMERIC

_PLAIN_TYPES = frozenset({*NUMERIC, "bool"})
"""Their valid values are plain."""


class PlaceFinding(NamedTuple):
    """One thing about a placeholder."""

    is_error: bool
    name: str
    number: int
    """How many `{name}` stand before it."""
    message: str
    hint: str
    code: str


def place_findings(entry_point: EntryPoint, supplied: frozenset[str]) -> Iterator[PlaceFinding]:
    """The placeholders of a command that take plain values only, or whose text another language reads as code."""
    refused = _refused_defaults(entry_point, supplied)
    for refusal in refused:
        default = entry_point.parameters[refusal.name]
        value = shown(default.default or "", secret=default.secret)
        message = f"the default {value} cannot be written safely here: {{{refusal.name}}} {refusal.problem}"
        yield _finding(True, refusal.name, refusal.number, message, refusal.hint, "unsafe-place")
    known = {(refusal.name, refusal.number) for refusal in refused}
    is_unfinished = False
    for name, number, place in _places(entry_point, supplied):
        if (name, number) in known or (is_unfinished and place.reason == UNFINISHED):
            continue
        is_unfinished = is_unfinished or place.reason == UNFINISHED
        if place.reason:
            message = f"{{{name}}} {place.reason.problem}: runs refuse values that a shell must quote"
            yield _finding(False, name, number, message, place.reason.hint, "unsafe-place")
        elif place.language:
            yield _foreign(name, number, place.language)


def _foreign(name: str, number: int, language: str) -> PlaceFinding:
    message = f"{language} reads the value of {{{name}}} as part of its program"
    hint = f"pass it as an argument, as in bash -c 'echo \"$1\"' bash {{{name}}}"
    return _finding(False, name, number, message, hint, "value-as-code")


def _finding(is_error: bool, name: str, number: int, message: str, hint: str, code: str) -> PlaceFinding:
    return PlaceFinding(is_error, name, number, message, hint.replace("{}", f"{{{name}}}"), code)


def _refused_defaults(entry_point: EntryPoint, supplied: frozenset[str]) -> tuple[Refusal, ...]:
    parameters = entry_point.parameters
    values = {name: _default(parameters, name) for name in supplied}
    try:
        render(entry_point.command, values)
    except MisplacedError as error:
        return tuple(error.refusals)
    return ()


def _default(parameters: Mapping[str, Parameter], name: str) -> str:
    declared = parameters.get(name)
    return "1" if declared is None or declared.default is None else declared.default


def _places(entry_point: EntryPoint, supplied: frozenset[str]) -> Iterator[tuple[str, int, Place]]:
    """The place of each placeholder whose value may be any text."""
    pieces = pieces_of(entry_point.command, supplied)
    marked = []
    line = ""
    for index, piece in enumerate(pieces):
        declared = entry_point.parameters.get(piece.name or "")
        line += piece.literal
        if piece.name is None:
            continue
        if declared is not None and declared.type in _PLAIN_TYPES:
            line += declared.default if declared.default and is_plain(declared.default) else "1"
        else:
            line += PLACEHOLDER
            marked.append(index)
    if line.count(PLACEHOLDER) != len(marked):  # a NUL byte of the command, which is an error of its own
        return
    places, _ = places_of(line, ["x"] * len(marked))
    for index, place in zip(marked, places, strict=True):
        yield pieces[index].name or "", earlier(pieces, index), place
