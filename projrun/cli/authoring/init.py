"""`projrun init`: a script becomes a project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from projrun.cli.asking import at_terminal
from projrun.cli.rendering import print_json, print_text
from projrun.errors import RequestError
from projrun.project.entry_points import runnable_scripts
from projrun.project.files import find_mlproject, is_file, is_inside

if TYPE_CHECKING:
    from projrun.project.scripts.proposal import Proposal


@click.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--script",
    "scripts",
    multiple=True,
    metavar="FILE",
    help="Script in PATH; repeatable, the first one is `main`.",
)
@click.option("--name", metavar="NAME", help="Project name.  [default: the folder's]")
@click.option("--no-environment", is_flag=True, help="Write no python_env.yaml, and name no environment.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Print what would be written.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def init(
    path: Path,
    scripts: tuple[str, ...],
    name: str | None,
    no_environment: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the MLproject file of a Python script, and its python_env.yaml.

    PATH is a folder or a script. Options are read from argparse, click, typer and fire, dependencies from the script's
    own block (PEP 723), the folder's requirements or the imports; the script does not run. Files that exist are never
    overwritten.

    \b
    projrun init train.py
    projrun init . --script train.py --script predict.py --dry-run
    """
    from projrun.project.scripts.proposal import propose
    from projrun.project.scripts.writing import write_new

    folder, found = _scripts(path, scripts)
    asks = at_terminal() and not (yes or dry_run or as_json)
    _ensure_new(folder)
    chosen = found if len(found) == 1 or scripts else [_choice(folder, found, asks=asks)]
    if name is None:
        name = folder.resolve().name or "project"
        name = click.prompt("Project name", default=name, err=True) if asks else name
    proposal = propose(folder, chosen, name, environment=not no_environment)
    if dry_run or asks:
        print_text(_texts(proposal), err=asks)
    if asks and not click.confirm(f"Write {' and '.join(proposal.files)}?", default=True, err=True):
        return
    if not dry_run:
        write_new(folder, proposal.files)
    if as_json:
        print_json(_document(path, folder, proposal, written=not dry_run))
    elif not dry_run:
        print_text("\n".join(_lines(folder, proposal)))


def _scripts(path: Path, given: Sequence[str]) -> tuple[Path, list[Path]]:
    """The project's folder, and the scripts that were named, else those that may be meant."""
    if is_file(path):
        return path.parent, [path, *(path.parent / name for name in given)]
    if not path.is_dir():
        raise RequestError(f"{str(path)!r} does not exist", hint="name a folder or a Python script")
    found = [path / name for name in given or runnable_scripts(path) if given or name.endswith(".py")]
    for script in found:
        if not is_file(script) or not is_inside(path, script) or script.suffix != ".py":
            raise RequestError(
                f"{script} is no Python script of {path}", hint="name a .py file of the folder"
            )
    if not found:
        raise RequestError(f"no Python script in {path}", hint="name one: projrun init FILE")
    return path, found


def _ensure_new(folder: Path) -> None:
    existing = find_mlproject(folder)
    if existing is not None:
        raise RequestError(f"{existing} exists", hint=f"see `projrun check {folder}`; nothing was written")


def _choice(folder: Path, found: Sequence[Path], *, asks: bool) -> Path:
    names = [script.name for script in found]
    if not asks:
        raise RequestError(
            f"{folder} has {len(names)} scripts: {', '.join(names)}",
            hint="choose with --script, which may be repeated",
        )
    return folder / click.prompt("Script", type=click.Choice(names), default=_likely(names), err=True)


def _likely(names: Sequence[str]) -> str:
    return next((name for name in ("train.py", "main.py") if name in names), names[0])


def _texts(proposal: Proposal) -> str:
    return "\n".join(f"# {name}\n{text}" for name, text in proposal.files.items()).rstrip()


def _lines(folder: Path, proposal: Proposal) -> list[str]:
    lines = [f"wrote {folder / name}" for name in proposal.files]
    for script, parser in proposal.read.items():
        how = (
            f"its {parser} options"
            if parser
            else "no options: it uses none of argparse, click, typer and fire"
        )
        lines.append(f"read {script}: {how}")
    lines.append(f"environment: {proposal.environment}")
    return [*lines, *(f"run it: {command}" for command in run_commands(folder, proposal))]


def run_commands(folder: Path, proposal: Proposal) -> list[str]:
    """The command line of each entry point; `NAME` stands for a value that a run must give."""
    from shlex import quote

    return [
        " ".join(
            [
                "projrun run",
                quote(str(folder)),
                *(["-e", quote(name)] if name != "main" else []),
                *(f"-P {parameter}={parameter.upper()}" for parameter in required),
            ]
        )
        for name, required in proposal.entry_points.items()
    ]


def _document(path: Path, folder: Path, proposal: Proposal, *, written: bool) -> dict[str, object]:
    return {
        "project": str(path),
        "written": [str(folder / name) for name in proposal.files] if written else [],
        "files": dict(proposal.files),
        "environment": proposal.environment,
        "parsers": dict(proposal.read),
        "entry_points": {
            name: {"required": list(required)} for name, required in proposal.entry_points.items()
        },
        "commands": run_commands(folder, proposal),
    }
