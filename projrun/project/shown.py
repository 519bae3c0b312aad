"""How names and values appear in messages: on one line, with no control character, never a secret."""

from __future__ import annotations

from collections.abc import Iterable

from projrun.credentials import MASK, without_credentials
from projrun.project.model import BoundParameter

_LONGEST_VALUE = 60


def listed(names: Iterable[str]) -> str:
    """Names for a person to choose from; quoted only where they would not be read as one word."""
    return ", ".join(name if _is_word(name) else repr(name) for name in names)


def shown(text: str, *, secret: bool) -> str:
    """A value, quoted and cut to a readable length."""
    if secret:
        return "(secret)"
    quoted = repr(without_credentials(text))
    return quoted if len(quoted) <= _LONGEST_VALUE else f"{quoted[:_LONGEST_VALUE]}…"


def public(parameter: BoundParameter) -> BoundParameter:
    """A parameter as it may be recorded and shown: a secret masked, an address without its credentials.

    Only types that are addresses lose them: any other text is recorded as it was written (docs/mlproject.md).
    """
    if parameter.secret:
        return parameter._replace(raw=MASK, value=MASK, download=None)
    if parameter.type not in ("path", "uri"):
        return parameter
    download = None if parameter.download is None else without_credentials(parameter.download)
    return parameter._replace(
        raw=without_credentials(parameter.raw), value=without_credentials(parameter.value), download=download
    )


def _is_word(name: str) -> bool:
    return name.isprintable() and name.split() == [name]
