"""What was read of a script."""

from __future__ import annotations

from typing import Literal, NamedTuple

OptionKind = Literal["value", "list", "switch"]


class Option(NamedTuple):
    """An option or argument of a command line, which becomes a parameter."""

    name: str
    flag: str = ""
    """`--alpha`; empty for an argument without a flag."""
    kind: OptionKind = "value"
    """`list`: several words; `switch`: a flag without a value."""
    type: str = "string"
    """A type word of MLproject files."""
    default: str | None = None
    """The text that stands for it on a command line; None where a run must give it."""
    off_flag: str = ""
    """Of a switch: what is written where it is off."""
    choices: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""
    help: str = ""
    left_out: str = ""
    """Why it becomes no parameter; empty for one that does."""


class Command(NamedTuple):
    """A command line of a script: one for each of its subcommands."""

    words: tuple[str, ...] = ()
    """The subcommand."""
    options: tuple[Option, ...] = ()
    shared: tuple[Option, ...] = ()
    """Options that are written before the subcommand."""


class Script(NamedTuple):
    """A script and how it is called."""

    parser: str = ""
    """`argparse`, `click`, `typer`, `fire`; empty where it reads no options that are known."""
    commands: tuple[Command, ...] = (Command(),)


def name_of(text: str) -> str:
    """The name of a parameter: letters, digits and `_`."""
    name = "".join(
        character if character.isascii() and character.isalnum() else "_" for character in text.lstrip("-")
    )
    return f"_{name}" if name[:1].isdigit() else name
