"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

import click

from projrun.errors import ProjrunError, RequestError


def at_terminal() -> bool:
    """Whether a person sees a question, which stderr shows, and can answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def must_ask(*, yes: bool) -> bool:
    """Whether to ask before what scripts do unasked. Raises RequestError where a person would not see the question."""
    if yes or at_terminal():
        return not yes
    if sys.stdin is not None and sys.stdin.isatty():
        raise RequestError("stderr is no terminal, which would show the question", hint="say so with --yes")
    return False


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
