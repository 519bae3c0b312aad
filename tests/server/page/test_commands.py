"""The lines to copy that the page shows are commands that there are."""

from __future__ import annotations

import re

import click
import pytest

from projrun.cli.application import application
from tests.support.guard import REPOSITORY

STATIC = REPOSITORY / "projrun" / "server" / "page" / "static"
COMMANDS = sorted(
    {
        words
        for folder in ("lib", "ui", "views")
        for file in (STATIC / folder).rglob("*.js")
        for words in re.findall(r"[>`]projrun ([a-z]+(?: [a-z]+)?)", file.read_text(encoding="utf-8"))
    }
)


def test_there_are_some() -> None:
    assert {"models serve", "models versions", "runs list"} <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_it_is_a_command(words: str) -> None:
    name, _, second = words.partition(" ")
    command = application.get_command(click.Context(application), name)
    assert command is not None
    if isinstance(command, click.Group) and second:
        assert second in command.commands
