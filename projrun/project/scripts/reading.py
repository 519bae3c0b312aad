"""Reading a script: the first of the known parsers that it uses says its options."""

from __future__ import annotations

from pathlib import Path

from projrun.project.scripts.argparse_options import read_argparse
from projrun.project.scripts.click_options import read_click
from projrun.project.scripts.description import Command, Option, Script
from projrun.project.scripts.signatures import read_fire, read_typer
from projrun.project.scripts.syntax import Module


def read_script(module: Module, project: Path) -> Script:
    """What is known of the script's command line. A path whose default is not there is a text: a run may write it."""
    for reader in (read_typer, read_click, read_fire, read_argparse):
        script = reader(module)
        if script is not None:
            return script._replace(commands=tuple(_settled(one, project) for one in script.commands))
    return Script()


def _settled(command: Command, project: Path) -> Command:
    options: dict[str, Option] = {}
    for option in command.options:
        options.setdefault(option.name, _located(option, project))
    shared = (_located(one, project) for one in command.shared if one.name not in options)
    return command._replace(options=tuple(options.values()), shared=tuple(shared))


def _located(option: Option, project: Path) -> Option:
    if option.type != "path" or option.default is None or (project / option.default).exists():
        return option
    return option._replace(type="string")
