"""`--env-file`: lines of NAME=VALUE, read as python-dotenv reads them."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.text import LARGEST_FILE, location_at, read_text
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from dotenv.parser import Binding

_BLANKS = r"[^\S\r\n]{1000}"
"""The parser takes quadratic time for them."""
_MOST_VARIABLES = 100
"""In one value, for the same reason."""


def read_env_file(directory: Path, name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the file `name`, relative to `directory`; `${NAME}` is taken from the file, then from `environ`.

    Raises RequestError for a file that cannot be read, and for a line that is not understood: python-dotenv would skip
    it. The line itself is not shown, since such files are where secrets are kept.
    """
    from dotenv.parser import parse_stream

    origin = f"--env-file: {name}"
    text = read_text(directory / name, origin)
    if blanks := re.search(_BLANKS, text):
        raise RequestError(f"{location_at(origin, text, blanks.start())}: a thousand blanks in a row")
    values: dict[str, str] = {}
    known = ChainMap(values, dict(environ))
    left = LARGEST_FILE
    for binding in parse_stream(StringIO(text)):
        value = _value(binding, f"{origin}:{_line(binding)}", known, left)
        if binding.key is not None and value is not None:
            left -= len(value)
            values[binding.key] = value
    return values


def _value(binding: Binding, place: str, known: Mapping[str, str], longest: int) -> str | None:
    """The value of a line; None for a comment, and for a name without one."""
    if binding.error or binding.key == "":
        raise RequestError(
            f"{place}: not a line of NAME=VALUE", hint="correct it, or make it a comment with #"
        )
    if binding.value is None:
        return None
    if binding.value.count("${") > _MOST_VARIABLES:
        raise RequestError(f"{place}: more than {_MOST_VARIABLES} variables in one value")
    value = _resolved(binding.value, known, longest)
    if value is None:
        raise RequestError(f"{place}: the values are longer than {LARGEST_FILE >> 20} MiB together")
    if "\0" in f"{binding.key}{value}":
        raise RequestError(f"{place}: the system takes no NUL character in a variable")
    return value


def _line(binding: Binding) -> int:
    """The line of the name: blank lines before it are part of the binding."""
    before = binding.original.string
    return binding.original.line + before[: len(before) - len(before.lstrip())].count("\n")


def _resolved(text: str, known: Mapping[str, str], longest: int) -> str | None:
    """The text with the values of its `${NAME}`s; None if it is longer: each line may double the one before it."""
    from dotenv.variables import parse_variables

    resolved = ""
    for atom in parse_variables(text):
        resolved += atom.resolve(known)
        if len(resolved) > longest:
            return None
    return resolved
