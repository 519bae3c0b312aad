"""The words of MLflow's search language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from projrun.errors import InvalidValueError

TokenKind = Literal["word", "quoted", "string", "number", "operator", "punctuation", "end"]

MAX_LENGTH = 1_000_000
"""Characters of a filter: enough for twenty thousand run ids in one IN list."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^']|'')*')
      | (?P<quoted>`[^`]+`|"[^"]*")
      | (?P<number>[+-]?(?:\d+\.?\d*|(?<!\w)\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<word>[^\W\d][\w/-]*)
      | (?P<operator><=|>=|!=|=|<|>)
      | (?P<punctuation>[.,()])""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """One word; `text` is without its quotes, `position` counts characters from 1."""

    kind: TokenKind
    text: str
    position: int

    def is_keyword(self, word: str) -> bool:
        """Whether it is this keyword, in any case."""
        return self.kind == "word" and self.text.upper() == word


def tokenize(text: str) -> list[Token]:
    """The words of a filter or an ordering, with an end mark last. Raises InvalidValueError."""
    if len(text) > MAX_LENGTH:
        raise InvalidValueError(
            f"a search expression may have at most {MAX_LENGTH} characters, not {len(text)}"
        )
    return [*_tokens(text), Token("end", "", len(text) + 1)]


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        if match.lastgroup != "space":
            yield _token(match, position + 1)
        position = match.end()


def _token(match: re.Match[str], position: int) -> Token:
    kind, text = match.lastgroup, match[0]
    if kind == "string":
        return Token("string", text[1:-1].replace("''", "'"), position)
    if kind == "quoted":
        return Token("quoted" if text[0] == "`" else "string", text[1:-1], position)
    return Token(kind, text, position)  # type: ignore[arg-type]  # the pattern's group names are the kinds


def _unreadable(text: str, position: int) -> InvalidValueError:
    character = text[position]
    what = "a quote that is never closed" if character in "'\"`" else f"{character!r} does not belong here"
    return InvalidValueError(f"invalid search expression at character {position + 1}: {what}")
