"""RUN on a command line: an id or the beginning of one, `latest`, `-1`, `-2`, or a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
_SHIELD = "\0"
"""Before `-1`, so that click takes it for no option; no word of a command line holds it."""


class RunCommand(click.Command):
    """A command whose arguments are runs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with `-1` for a run."""
        try:
            return super().parse_args(ctx, self._shielded(args))
        except click.UsageError as error:
            if _SHIELD not in error.message:
                raise
            raise click.UsageError(error.message.replace(_SHIELD, ""), ctx) from error

    def _shielded(self, words: Sequence[str]) -> list[str]:
        valued = {name for option in self.params if _takes_value(option) for name in option.opts}
        found: list[str] = []
        before = ""
        for place, word in enumerate(words):
            if word == "--":
                return [*found, *words[place:]]
            is_run = before not in valued and re.fullmatch(r"-[1-9][0-9]{0,3}", word)
            found.append(f"{_SHIELD}{word}" if is_run else word)
            before = word
        return found


def _unshielded(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """The words as they were typed."""
    if isinstance(value, tuple):
        return tuple(word.removeprefix(_SHIELD) for word in value)
    return value.removeprefix(_SHIELD) if isinstance(value, str) else value


def _takes_value(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and not (parameter.is_flag or parameter.count)


def run_argument(name: str = "run_id", metavar: str = "RUN", **how: Any) -> Callable[[Decorated], Decorated]:
    """An argument of a `RunCommand` for `find_run`."""
    return click.argument(name, metavar=metavar, callback=_unshielded, **how)
