"""Choosing the entry point of a run: a declared one, else a script of the project."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from projrun.credentials import without_credentials
from projrun.errors import RequestError
from projrun.project.command import quoted
from projrun.project.files import FILE_NAME, is_allowed, is_file, look_alike
from projrun.project.model import EntryPoint, Project
from projrun.project.shown import listed
from projrun.suggestions import did_you_mean

SCRIPT_SUFFIXES = (".py", ".sh", ".R")
_MOST_NAMED = 5


def find_entry_point(
    project: Project, name: str, *, environ: Mapping[str, str] | None = None, source: str = "."
) -> EntryPoint:
    """The declared entry point `name`, else the script of that name with the program that runs it.

    As MLflow: `x.py` runs with `python`, `x.sh` with `$SHELL` (bash where unset), `x.R` through the R package `mlflow`,
    which reads the parameters. Raises RequestError for a broken one, and, listing the entry points, for a name that is
    neither. `source` is what people call the project.
    """
    if name in project.broken:
        raise project.broken[name]
    declared = project.entry_points.get(name)
    if declared is not None:
        return declared
    if name.endswith(SCRIPT_SUFFIXES):
        return _script(project, name, os.environ if environ is None else environ, source)
    raise _unknown(project, name, source)


def _script(project: Project, name: str, environ: Mapping[str, str], source: str) -> EntryPoint:
    path = project.directory / name
    if not is_allowed(path, project.within):
        raise RequestError(
            f"the script {name!r} is outside the project", hint="an entry point is a file of the project"
        )
    if not is_file(path):
        raise _unknown(project, name, source)
    line = _r_line(name) if name.endswith(".R") else _line(name, environ)
    # The line is a command template: braces in a file name must stay braces.
    return EntryPoint(name, line.replace("{", "{{").replace("}", "}}"), {})


def _line(name: str, environ: Mapping[str, str]) -> str:
    program = "python" if name.endswith(".py") else quoted(environ.get("SHELL") or "bash")
    # A name such as `-c.py` would be read as an option.
    return f"{program} {quoted(f'./{name}' if name.startswith('-') else name)}"


def _r_line(name: str) -> str:
    """MLflow's line: `mlflow_source` gives the script its parameters, which R reads only after `--args`."""
    in_r = re.sub(r"([\\'])", r"\\\1", name)
    in_shell = re.sub(r'([$`"\\])', r"\\\1", f"mlflow::mlflow_source('{in_r}')")
    return f'Rscript -e "{in_shell}" --args'


def _unknown(project: Project, name: str, source: str) -> RequestError:
    scripts = runnable_scripts(project.directory)
    known = [*project.entry_points, *project.broken, *scripts]
    misnamed = None if project.file else look_alike(project.directory)
    if misnamed:
        message = f"no entry point {name!r}: {misnamed} is not read"
        return RequestError(message, hint=f"rename {misnamed} to {FILE_NAME}")
    if project.file is None:
        message = f"no entry point {name!r}: the project has no {FILE_NAME} file{did_you_mean(name, known)}"
        return RequestError(
            message, hint=_what_would_run(project.directory, scripts, without_credentials(source))
        )
    message = f"unknown entry point {name!r}{did_you_mean(name, known)}"
    names = listed([*project.entry_points, *project.broken]) or "none"
    return RequestError(message, hint=f"entry points: {names}; or a .py, .sh or .R file of the project")


def _what_would_run(directory: Path, scripts: list[str], source: str) -> str:
    """What a folder without an MLproject has that runs."""
    hints = []
    if scripts:
        likely = next((name for name in ("train.py", "main.py") if name in scripts), scripts[0])
        hints.append(f"did you mean `projrun run {quoted(source)} -e {quoted(likely)}`?")
        others = [name for name in scripts if name != likely]
        if others:
            hints.append(f"other scripts: {_some(others)};")
        hints.append(f"`projrun init {quoted(source)}` writes an {FILE_NAME} file")
    folders = _project_folders(directory)
    if folders:
        place = source.partition("#")[0]
        hints.append(
            f"{'; ' if scripts else ''}projects are in subfolders: `projrun run {quoted(f'{place}#{folders[0]}')}`"
        )
        hints += [f"({_some(folders)})"] if folders[1:] else []
    return (
        " ".join(hints).replace(" ; ", "; ")
        or "it has no .py, .sh or .R file either: is it the right folder?"
    )


def _some(names: list[str]) -> str:
    return listed(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED} more" if names[_MOST_NAMED:] else ""
    )


def _project_folders(directory: Path) -> list[str]:
    """The folders in it and one level below that have an MLproject."""
    found = []
    for pattern in ("*", "*/*"):
        found += [
            place.parent.relative_to(directory).as_posix()
            for place in directory.glob(f"{pattern}/{FILE_NAME}")
        ]
    return sorted(name for name in found if not name.startswith("."))


def runnable_scripts(directory: Path) -> list[str]:
    """The names of the scripts that run as entry points."""
    try:
        return sorted(path.name for path in directory.iterdir() if path.name.endswith(SCRIPT_SUFFIXES))
    except OSError:
        return []
