"""Help as people see it."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import click

from projrun.cli.application import application


def test_summaries_and_examples_fit_in_80_columns() -> None:
    """A summary that is cut says less than one that is short; an example that is folded cannot be copied."""
    faults = [fault for path, group in _groups("projrun", application) for fault in _too_long(path, group)]
    assert faults == []


def _groups(path: str, group: click.Group) -> Iterator[tuple[str, click.Group]]:
    yield path, group
    for name, command in _commands(group).items():
        if isinstance(command, click.Group):
            yield from _groups(f"{path} {name}", command)


def _commands(group: click.Group) -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command and not command.hidden}


def _too_long(path: str, group: click.Group) -> Iterator[str]:
    commands = _commands(group)
    room = 80 - 6 - max(map(len, commands))
    for name, command in commands.items():
        summary = command.get_short_help_str(room)
        if summary.endswith("...") and group is not application:  # which has summaries of its own
            yield f"{path} {name}: {summary}"
        for block in cleandoc(command.help or "").split("\n\n"):
            if block.startswith("\b"):
                yield from (line for line in block.splitlines() if len(line) > 78)
