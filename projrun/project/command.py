"""Command templates: placeholders become shell-quoted values, everything else stays as the author wrote it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from string import Formatter

from projrun.errors import RequestError
from projrun.project.model import Invocation
from projrun.tuples import NamedTuple

LONGEST_COMMAND = 131_071
"""Linux: one argument of execve(2) holds at most 32 pages, its NUL byte included (MAX_ARG_STRLEN)."""

_UNKNOWN = re.compile(r"(?<![${])\{([A-Za-z_][A-Za-z0-9_-]*)\}")


class Piece(NamedTuple):
    """A stretch of a command: literal text, then the placeholder that follows it."""

    literal: str
    name: str | None


def render(template: str, values: Mapping[str, str | None]) -> str:
    """The command with each `{name}` of `values` replaced by its shell-quoted value; None becomes nothing.

    Where `str.format` accepts the line with every field a plain supplied name, the result is exactly
    `str.format`'s, as in MLflow. Otherwise (`${HOME}`, `awk '{print $1}'`, JSON) only `{supplied name}` is
    replaced, in one pass, and all else stays.
    """
    return "".join(
        piece.literal + (_quoted(values[piece.name]) if piece.name is not None else "")
        for piece in _pieces(template, values)
    )


def placeholders(template: str, supplied: Collection[str]) -> frozenset[str]:
    """The supplied names that the command uses."""
    return frozenset(piece.name for piece in _pieces(template, supplied) if piece.name is not None)


def unknown_placeholders(template: str, supplied: Collection[str]) -> tuple[str, ...]:
    """The names in braces without a value, in order; `${NAME}` and `{{name}}` are the shell's."""
    if _formatted(template, supplied) is not None:
        return ()
    found = dict.fromkeys(match.group(1) for match in _UNKNOWN.finditer(template))
    return tuple(name for name in found if name not in supplied)


def append_options(command: str, options: Iterable[tuple[str, str]]) -> str:
    """The command with ` --name value` for each option, both shell-quoted.

    A final line break (every `command: |` has one) would make the options a separate command, so it is removed,
    unless the line before it continues.
    """
    words = [f"--{shlex.quote(name)} {shlex.quote(value)}" for name, value in options]
    if not words:
        return command
    trimmed = command.rstrip()
    backslashes = len(trimmed) - len(trimmed.rstrip("\\"))
    return " ".join([command if backslashes % 2 else trimmed, *words])


def command_problem(command: str) -> str:
    """Why the system would refuse the line as an argument; "" where it would not."""
    if "\0" in command:
        return "the command contains a NUL byte"
    try:
        size = len(os.fsencode(command))
    except UnicodeEncodeError:
        return "the command contains a character that cannot be encoded"
    if size > LONGEST_COMMAND:
        return f"the command is {size:,} bytes long, more than the {LONGEST_COMMAND:,} that the system allows"
    return ""


def check_command(command: str) -> None:
    """Raise RequestError for a line that the system would refuse (`command_problem`)."""
    problem = command_problem(command)
    if problem:
        raise RequestError(problem, hint="pass large values in a file, by a parameter of type path")


def secret_variable(name: str) -> str:
    """The environment variable that carries a secret parameter."""
    return "PROJRUN_PARAM_" + re.sub(r"\W", "_", name, flags=re.ASCII).upper()


def secret_environment(invocation: Invocation) -> dict[str, str]:
    """The variables that hand the secret parameters to the child."""
    return {
        secret_variable(parameter.name): parameter.value
        for parameter in invocation.parameters
        if parameter.secret
    }


def _quoted(value: str | None) -> str:
    return "" if value is None else shlex.quote(value)


def _pieces(template: str, supplied: Collection[str]) -> list[Piece]:
    formatted = _formatted(template, supplied)
    return _substituted(template, supplied) if formatted is None else formatted


def _formatted(template: str, supplied: Collection[str]) -> list[Piece] | None:
    """How `str.format` reads the line; None where it refuses it or a field is not a plain supplied name."""
    pieces = []
    try:
        for literal, name, spec, conversion in Formatter().parse(template):
            # str.format takes a decimal name for a position, and `.` or `[` for a look-up in the value.
            plain = name is None or (name in supplied and not name.isdecimal() and not {*".["} & {*name})
            if not plain or spec or conversion:
                return None
            pieces.append(Piece(literal, name))
    except ValueError:
        return None
    return pieces


def _substituted(template: str, supplied: Collection[str]) -> list[Piece]:
    if not supplied:
        return [Piece(template, None)]
    names = "|".join(re.escape(name) for name in sorted(supplied, key=len, reverse=True))
    parts = re.split(rf"\{{({names})\}}", template)
    literals, found = parts[::2], [*parts[1::2], None]
    return [Piece(literal, name) for literal, name in zip(literals, found, strict=True)]
