"""The environment files of a project's folder: the default ones, and whether one that is named can be used."""

from __future__ import annotations

import re
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.files import exists, is_file, is_inside
from projrun.project.model import EnvironmentReference
from projrun.project.text import read_text
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.project.model import EnvironmentKind

NO_ENVIRONMENT = EnvironmentReference("none")

_TABLES = {
    "uv_env": r"^\s*\[\s*project\s*\]",
    "poetry": r"^\s*\[\s*tool\s*\.\s*poetry\s*\.\s*dependencies\s*[.\]]",
}
"""The table that a `pyproject.toml` must have, by kind."""


def default_environment(directory: Path) -> EnvironmentReference:
    """`python_env.yaml`, `conda.yaml` (as MLflow), then what MLflow does not know: a locked uv project, `pylock.toml`,
    a `[project]`, `requirements.txt`, a Poetry project.

    A `pyproject.toml` counts where it has a lock file or says what it depends on; many only configure tools.
    """
    candidates: list[tuple[str, EnvironmentKind]] = [
        ("python_env.yaml", "python_env"),
        ("conda.yaml", "conda_env"),
        ("pyproject.toml", "uv_env"),
        ("pylock.toml", "pylock"),
        ("requirements.txt", "requirements"),
        ("pyproject.toml", "poetry"),
    ]
    if not is_file(directory / "uv.lock"):
        candidates.insert(2, candidates.pop(3))
    for name, kind in candidates:
        path = directory / name
        if not is_file(path) or not _counts(kind, path):
            continue
        if not is_inside(directory, path):
            raise RequestError(f"{path} is a link that leaves the project", hint="put the file itself there")
        return EnvironmentReference(kind, path)
    return NO_ENVIRONMENT


def _counts(kind: EnvironmentKind, file: Path) -> bool:
    table = _TABLES.get(kind)
    if table is None:
        return True
    if kind == "uv_env" and is_file(file.with_name("uv.lock")):
        return True
    try:
        text = read_text(file, file.name)
    except RequestError:
        return False
    return re.search(table, text, re.MULTILINE) is not None


def file_problem(directory: Path, name: str, path: Path) -> tuple[str, str]:
    """What is wrong with an environment file that the MLproject names, and a hint; "" for a good one."""
    if not name:
        return "the file name is empty", "name a file of the project, or remove the key"
    if Path(name).is_absolute() or not is_inside(directory, path):
        return f"{name!r} leaves the project", "name a file inside the project's folder"
    if not is_file(path):
        what = "is not a file" if exists(path) else "does not exist"
        return f"{name!r} {what}", "paths are relative to the project's folder"
    return "", ""
