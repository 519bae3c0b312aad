"""How names and values stand in messages: on one line, with no control character, never a secret."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_VALUE = 60


def listed(names: Iterable[str]) -> str:
    """Names for a person to choose from; quoted only where they would not be read as one word."""
    return ", ".join(name if _is_word(name) else repr(name) for name in names)


def shown(text: str, *, secret: bool) -> str:
    """A value, quoted and cut to a readable length."""
    if secret:
        return "(secret)"
    quoted = repr(text)
    return quoted if len(quoted) <= _LONGEST_VALUE else f"{quoted[:_LONGEST_VALUE]}…"


def _is_word(name: str) -> bool:
    return name.isprintable() and name.split() == [name]
