"""What was looked at, and how it is."""

from __future__ import annotations

from typing import Literal, NamedTuple

from projrun.errors import ProjrunError

State = Literal["ok", "warning", "broken"]
"""A warning is about what some projects need; what is broken stops every run, or one of these settings."""


class Finding(NamedTuple):
    """One thing."""

    area: str
    name: str
    state: State
    text: str
    remedy: str = ""


def failed(area: str, name: str, error: ProjrunError | OSError, state: State = "broken") -> Finding:
    """What an error says."""
    if isinstance(error, ProjrunError):
        return Finding(area, name, state, str(error), error.hint)
    where = f"{error.filename}: " if error.filename else ""
    return Finding(area, name, state, f"{where}{error.strerror or error}")
