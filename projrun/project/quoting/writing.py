"""How values are written into a shell line, by the places of their placeholders; what has no safe form is refused."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from projrun.project.quoting.documents import is_broken
from projrun.project.quoting.lines import scan
from projrun.project.quoting.places import (
    AFTER_NAME,
    ANSI,
    APPENDED,
    BARE,
    DOCUMENT,
    DOUBLE,
    ENDS_DOCUMENT,
    MARKED,
    SINGLE,
    TEXT,
    Place,
    Reason,
)

_MARKED = re.compile("[\x01\x7f]+")
"""Characters that bash marks with a \\x01 while it parses, and in some places never unmarks."""


def _in_double_quotes(value: str) -> str:
    """Bash adds a \\x01 to some control characters in double quotes in an array: they go into single ones."""
    return _MARKED.sub("\"'\\g<0>'\"", re.sub(r'[$\\"`]', r"\\\g<0>", value))


_ESCAPES: Mapping[str, Callable[[str], str]] = {
    BARE: shlex.quote,
    DOUBLE: _in_double_quotes,
    AFTER_NAME: lambda value: '""' + _in_double_quotes(value),
    SINGLE: lambda value: value.replace("'", "'\\''"),
    ANSI: lambda value: re.sub(r"[\\']", r"\\\g<0>", value),
    DOCUMENT: lambda value: re.sub(r"[$\\`]", r"\\\g<0>", value),
    TEXT: str,
}


def written(value: str, layers: Sequence[str]) -> str:
    """A value as it is written where these layers surround it, the outermost first."""
    for layer in reversed(layers):
        value = _ESCAPES[layer](value)
    return value


def places_of(
    line: str, values: Sequence[str], appended: int = 0
) -> tuple[list[Place], list[tuple[int, Reason]]]:
    """The place of each placeholder (a NUL in the line), and why some values cannot be put there.

    The last `appended` ones must stand bare.
    """
    found = scan(line)
    places = found.places
    refused = {index: place.reason for index, place in enumerate(places) if place.reason}
    if "((" in line:  # bash takes it for arithmetic first, and marks these as it does in arrays
        refused |= {index: MARKED for index, value in enumerate(values) if _MARKED.search(value)}
    for document in found.documents:
        level = document.level
        if is_broken(document, [written(values[n], places[n].layers[level:]) for n in document.places]):
            for index in document.places:
                refused.setdefault(index, ENDS_DOCUMENT)
    for index in range(len(places) - appended, len(places)):
        if places[index].reason or places[index].layers != (BARE,):
            refused[index] = APPENDED
    return places, sorted(refused.items())
