"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

import click

from projrun.errors import ProjrunError, RequestError


def at_terminal() -> bool:
    """Whether a person sees a question, which stderr shows, and can answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirm(question: str, refusal: ProjrunError) -> None:
    """Ask before what cannot be undone. Raises the refusal for a no."""
    if not click.confirm(question, err=True):
        raise refusal


def ensure_agreed(question: str, refusal: ProjrunError, *, yes: bool) -> None:
    """Before what cannot be undone: `--yes`, or a yes at the terminal. Raises the refusal without either."""
    if yes:
        return
    if not at_terminal():
        raise RequestError(f"{refusal.message}: there is no way back", hint="say so with --yes")
    confirm(question, refusal)
