"""How a command is handed to a container: as words where it has no shell syntax, else to the image's shell."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
    (?P<blank>      (?:[ \t]|\\\n)+ )
  | '(?P<single>    [^']* )'
  | "(?P<double>    (?:[^"\\$`] | \\[^\n])* )"
  | \\(?P<escaped>  [^\n] )
  | (?P<plain>      [^\s'"\\$`|&;<>()*?\[{]+ )
    """,
    re.VERBOSE,
)
_SPECIAL_FIRST = re.compile(r"[#~!]")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_SHELL_WORDS = frozenset(
    """
    . : alias bg break builtin case cd command continue coproc declare do done elif else esac eval exec exit export
    fg fi for function hash if in jobs let local popd pushd read readonly return select set shift shopt source then
    time times trap type typeset ulimit umask unalias unset until wait while }
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""POSIX's and bash's reserved words and built-in commands, which are not programs of an image."""

# Chosen in the container: the image only has to have a shell.
_SHELL = 'if command -v bash >/dev/null 2>&1; then exec bash -c "$1"; fi; exec sh -c "$1"'


def container_words(command: str) -> tuple[str, ...]:
    """The words that follow the image's name.

    MLflow runs `docker run IMAGE COMMAND` in a shell of the host, so that a plain command reaches the image's
    ENTRYPOINT as words, and needs no shell in the image; the same here.
    """
    words = plain_words(command)
    return words if words is not None else ("sh", "-c", _SHELL, "sh", command)


def plain_words(command: str) -> tuple[str, ...] | None:
    """The words of a line that means the same to every shell; None where it has shell syntax."""
    words: list[str] = []
    open_word = False
    text, position = command.strip(), 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or (not open_word and token["plain"] and _SPECIAL_FIRST.match(token["plain"])):
            return None
        position = token.end()
        if token["blank"] is not None:
            open_word = False
            continue
        if not open_word:
            words.append("")
        words[-1] += _value(token)
        open_word = True
    return tuple(words) if words and _is_program(words[0], text) else None


def _value(token: re.Match[str]) -> str:
    if token["double"] is not None:
        return re.sub(r'\\([\\"$`])', r"\1", token["double"])
    return next(text for text in (token["single"], token["escaped"], token["plain"]) if text is not None)


def _is_program(word: str, text: str) -> bool:
    return bool(word) and word not in _SHELL_WORDS and not _ASSIGNMENT.match(text)
