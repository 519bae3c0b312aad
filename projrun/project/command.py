"""Command templates: placeholders become values, everything else stays as the author wrote it.

A value of plain characters is inserted as it is, any other as its place in the shell line requires: bare words are
quoted as in MLflow. The line is scanned for places (`quoting`) only where some value and some character of
the line make it necessary.
"""

from __future__ import annotations

import _string  # type: ignore[import-not-found] # `string` compiles a pattern for its templates: 0.8 ms
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from projrun.errors import RequestError
from projrun.project.model import Invocation
from projrun.tuples import NamedTuple

LONGEST_COMMAND = 131_071
"""Linux: one argument of execve(2) holds at most 32 pages, its NUL byte included (MAX_ARG_STRLEN)."""

MOST_REFUSALS = 20
"""More are not reported at once."""
_SPECIAL = r"""['"`\\$#\[]|<<|[<>]&|[(=]\(|\b(?:eval|trap|let|(?:ba|da|k|z)?sh)\b|-\w*c"""
"""Where a line has none of these, every placeholder stands bare."""
_HARMLESS = str.maketrans("", "", "@%+=:,./-_")
_UNKNOWN = r"(?<![${])\{([A-Za-z_][A-Za-z0-9_-]*)\}"


class Piece(NamedTuple):
    """A stretch of a command: literal text, then the placeholder that follows it."""

    literal: str
    name: str | None


class Refusal(NamedTuple):
    """A value that cannot be put where its placeholder stands."""

    name: str
    number: int
    """How many `{name}` stand before this one."""
    problem: str
    hint: str


class MisplacedError(RequestError):
    """Values that have no safe form where the command wants them."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(f"{{{refusals[0].name}}} {refusals[0].problem}", hint=refusals[0].hint)
        self.refusals = refusals


def render(template: str, values: Mapping[str, str | None]) -> str:
    """The command with each `{name}` of `values` replaced by its value; None becomes nothing.

    Where `str.format` accepts the line with every field a plain supplied name, those are replaced, as in MLflow.
    Otherwise (`${HOME}`, `awk '{print $1}'`, JSON) only `{supplied name}` is replaced, in one pass, and all else
    stays. Raises MisplacedError.
    """
    return render_both(template, values, values)[0]


def render_both(
    template: str,
    values: Mapping[str, str | None],
    public: Mapping[str, str | None],
    options: Sequence[tuple[str, str]] = (),
) -> tuple[str, str]:
    """As `render`, and the line with the values that people may see; both without `options`.

    Raises MisplacedError also where a value of `options` cannot be appended.
    """
    pieces = pieces_of(template, values)
    layers = _layers(pieces, values, options)
    return _filled(pieces, values, layers), _filled(pieces, public, layers)


def placeholders(template: str, supplied: Collection[str]) -> frozenset[str]:
    """The supplied names that the command uses."""
    return frozenset(piece.name for piece in pieces_of(template, supplied) if piece.name is not None)


def unknown_placeholders(template: str, supplied: Collection[str]) -> tuple[str, ...]:
    """The names in braces without a value, in order; `${NAME}` and `{{name}}` are the shell's."""
    if _formatted(template, supplied) is not None:
        return ()
    found = dict.fromkeys(match.group(1) for match in re.finditer(_UNKNOWN, template))
    return tuple(name for name in found if name not in supplied)


def append_options(command: str, options: Iterable[tuple[str, str]]) -> str:
    """The command with ` --name value` for each option, both shell-quoted."""
    words = [f"--{quoted(name)} {quoted(value)}" for name, value in options]
    return " ".join([_joint(command), *words]) if words else command


def _joint(command: str) -> str:
    """The command as options can follow it.

    A final line break (every `command: |` has one) would make the options a separate command, so it is removed,
    unless the line before it continues.
    """
    trimmed = command.rstrip()
    backslashes = len(trimmed) - len(trimmed.rstrip("\\"))
    return command if backslashes % 2 else trimmed


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


def is_plain(value: str) -> bool:
    """Whether a value is inserted as it is, everywhere: not empty, and nothing in it is special to a shell."""
    rest = value.translate(_HARMLESS)
    return value.isascii() and value != "" and (not rest or rest.isalnum())


def quoted(value: str) -> str:
    """What a shell reads as that value. `shlex` costs half a millisecond, and most values need no quotes."""
    if is_plain(value):
        return value
    import shlex

    return shlex.quote(value)


def _filled(
    pieces: list[Piece], values: Mapping[str, str | None], layers: Mapping[int, Sequence[str]]
) -> str:
    parts = []
    for index, piece in enumerate(pieces):
        parts.append(piece.literal)
        value = values[piece.name] if piece.name is not None else None
        if value is None:
            continue
        if index in layers:
            from projrun.project.quoting.writing import written

            parts.append(written(value, layers[index]))
        else:
            parts.append(quoted(value))
    return "".join(parts)


def _layers(
    pieces: list[Piece], values: Mapping[str, str | None], options: Sequence[tuple[str, str]]
) -> Mapping[int, Sequence[str]]:
    """What surrounds the placeholders, by the numbers of their pieces; only of values that are not plain."""
    texts = [_mark(None if piece.name is None else values[piece.name]) for piece in pieces]
    marked = [index for index, text in enumerate(texts) if text == "\0"]
    if not marked and all(is_plain(value) for _, value in options):
        return {}
    line = "".join(piece.literal + text for piece, text in zip(pieces, texts, strict=True))
    if not re.search(_SPECIAL, line) or line.count("\0") != len(marked):
        return {}
    from projrun.project.quoting.writing import places_of

    appended = [(name, value) for name, value in options if not is_plain(value)]
    scanned = [values[pieces[index].name or ""] or "" for index in marked] + [value for _, value in appended]
    joined = " ".join([_joint(line), *[f"--{name} \0" for name, _ in appended]]) if appended else line
    places, refused = places_of(joined, scanned, len(appended))
    if refused:
        reported = refused[:MOST_REFUSALS]
        raise MisplacedError([_refusal(pieces, marked, appended, index, *why) for index, why in reported])
    return {index: place.layers for index, place in zip(marked, places, strict=False)}


def _refusal(
    pieces: list[Piece],
    marked: list[int],
    appended: list[tuple[str, str]],
    index: int,
    problem: str,
    hint: str,
) -> Refusal:
    if index >= len(marked):
        return Refusal(appended[index - len(marked)][0], 0, problem, hint)
    last = marked[index]
    return Refusal(pieces[last].name or "", earlier(pieces, last), problem, hint)


def earlier(pieces: list[Piece], index: int) -> int:
    """How many `{name}` stand in the command before that of a piece: with `{{name}}`, which are none."""
    wanted = f"{{{pieces[index].name}}}"
    parts = [piece.literal + ("" if piece.name is None else f"{{{piece.name}}}") for piece in pieces[:index]]
    return "".join([*parts, pieces[index].literal]).count(wanted)


def _mark(value: str | None) -> str:
    """A plain value itself, a NUL byte for any other."""
    return "" if value is None else value if is_plain(value) else "\0"


def pieces_of(template: str, supplied: Collection[str]) -> list[Piece]:
    """The command as literal text and placeholders."""
    formatted = _formatted(template, supplied)
    return _substituted(template, supplied) if formatted is None else formatted


def _formatted(template: str, supplied: Collection[str]) -> list[Piece] | None:
    """How `str.format` reads the line; None where it refuses it or a field is not a plain supplied name."""
    pieces = []
    try:
        for literal, name, spec, conversion in _string.formatter_parser(template):
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
