"""Entry points and parameters of the project that is named on the line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from projrun.directories import Directories
from projrun.errors import ProjrunError
from projrun.project.loader import load_project
from projrun.project.model import Parameter, Project

_SCRIPTS = (".py", ".sh", ".R")


def entry_points(ctx: click.Context, param: click.Parameter, incomplete: str) -> Iterator[str]:
    """Those of the MLproject file, then scripts in the folder."""
    project = _project(ctx)
    if project is None:
        return
    yield from project.entry_points
    yield from sorted(file.name for file in project.directory.iterdir() if file.suffix in _SCRIPTS)


def parameters(ctx: click.Context, param: click.Parameter, incomplete: str) -> Iterator[str | CompletionItem]:
    """`alpha=`; after the sign, the values that are known, and paths."""
    project = _project(ctx)
    entry_point = project.entry_points.get(ctx.params.get("entry_point") or "main") if project else None
    if entry_point is None:
        return
    name, equals, value = incomplete.partition("=")
    if equals:
        known = entry_point.parameters.get(name)
        yield from (f"{name}={one}" for one in (_values(known, value) if known else _paths(value)))
        return
    given = {text.partition("=")[0] for text in ctx.params.get("parameters") or ()}
    for each in entry_point.parameters.values():
        if each.name not in given:
            yield CompletionItem(f"{each.name}=", help=each.description or each.declared_type)


def _values(parameter: Parameter, typed: str) -> Iterator[str]:
    if parameter.choices:
        yield from parameter.choices
    elif parameter.type == "bool":
        yield from ("true", "false")
    elif parameter.type in ("path", "uri"):
        yield from _paths(typed)
    elif parameter.default is not None and not parameter.secret:
        yield parameter.default


def _paths(typed: str) -> Iterator[str]:
    """The shells' own completion knows no path behind a sign."""
    folder, _, name = typed.rpartition("/")
    head = f"{folder}/" if "/" in typed else ""
    try:
        found = sorted(Path(os.path.expanduser(head or ".")).iterdir())  # noqa: PTH111 - `~user` stays as typed
    except OSError:
        return
    for path in found:
        if path.name.startswith(name) and (name.startswith(".") or not path.name.startswith(".")):
            yield f"{head}{path.name}{'/' if path.is_dir() else ''}"


def _project(ctx: click.Context) -> Project | None:
    """In the folder that is named, or in this one; None for what is elsewhere, or cannot be read."""
    uri = ctx.params.get("uri") or "."
    folder, _, below = str(uri).partition("#")
    try:
        place = Path(folder).expanduser() / below
        return load_project(place, Directories.locate(os.environ).cache) if place.is_dir() else None
    except (ProjrunError, OSError, RuntimeError):
        return None
