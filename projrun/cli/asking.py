"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

import click

from projrun.cli.rendering import on_terminal
from projrun.errors import RequestError


def at_terminal() -> bool:
    """Whether a person can answer."""
    return on_terminal() and sys.stdin is not None and sys.stdin.isatty()


def confirm(question: str, refusal: str) -> None:
    """Ask before what cannot be undone. RequestError for a no."""
    if not click.confirm(question, err=True):
        raise RequestError(refusal)
