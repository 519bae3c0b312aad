"""The environment files of a project's folder: the default ones, and whether one that is named can be used."""

from __future__ import annotations

import re
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.files import exists, is_allowed, is_file
from projrun.project.model import EnvironmentReference, Project
from projrun.project.text import LARGEST_FILE, parse_toml, read_text
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from projrun.project.model import EnvironmentKind

NO_ENVIRONMENT = EnvironmentReference("none")

_WORDS = {"uv_env": "project", "poetry": "poetry"}
"""What the text of a `pyproject.toml` of this kind holds."""
_BLOCK = rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])# /// script(?=[\r\n]|\Z)"


def default_environment(
    directory: Path, within: Path | None = None, serves: Callable[[str], bool] | None = None
) -> EnvironmentReference:
    """`python_env.yaml`, `conda.yaml` (as MLflow), then what MLflow does not know: a locked uv project, `pylock.toml`,
    a `[project]`, `requirements.txt`, a Poetry project.

    A `pyproject.toml` counts where it has a lock file or says what it depends on; many only configure tools. With
    `serves`, only files of kinds that it takes count. Raises RequestError for a link that leaves `within`.
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
        if (serves and not serves(kind)) or not is_file(path) or not _counts(kind, path):
            continue
        if not is_allowed(path, within):
            raise RequestError(f"{path} is a link that leaves the project", hint="put the file itself there")
        return EnvironmentReference(kind, path)
    return NO_ENVIRONMENT


def script_environment(project: Project, entry_point: str) -> EnvironmentReference:
    """Of a script with an inline block (PEP 723) the script itself, where no MLproject says what to use; else the
    project's own.
    """
    script = project.directory / entry_point
    if (
        not entry_point.endswith(".py")
        or entry_point in project.entry_points
        or (project.file is not None and project.environment.kind != NO_ENVIRONMENT.kind)
        or not (is_file(script) and is_allowed(script, project.within) and _has_block(script))
    ):
        return project.environment
    return EnvironmentReference("script", script)


def _has_block(script: Path) -> bool:
    try:
        with script.open("rb") as stream:
            return re.search(_BLOCK, stream.read(LARGEST_FILE)) is not None
    except OSError:
        return False


def _counts(kind: EnvironmentKind, file: Path) -> bool:
    word = _WORDS.get(kind)
    if word is None or (kind == "uv_env" and is_file(file.with_name("uv.lock"))):
        return True
    try:
        text = read_text(file, file.name)
    except RequestError:
        return False
    if word not in text:
        return False
    try:
        document = parse_toml(text)
    except ValueError:
        # Its reader says what is wrong with it.
        return re.search(rf"(?m)^\s*\[\s*(?:tool\s*\.\s*)?{word}\b", text) is not None
    if kind == "uv_env":
        return "project" in document
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    return isinstance(poetry, dict) and "dependencies" in poetry


def several_problem(named: list[tuple[str, int]]) -> tuple[str, str]:
    """What is wrong with a file that names several environments, by key and line, and a hint."""
    listed = " and ".join(f"{key} (line {line})" for key, line in named)
    return f"the project names {len(named)} environments: {listed}", "keep one, or decide with --env-manager"


def file_problem(name: str, path: Path, within: Path | None) -> tuple[str, str]:
    """What is wrong with an environment file that the MLproject names, and a hint; "" for a good one.

    A fetched project may name any file of its checkout, one in the user's own folder any file that can be read.
    """
    if not name:
        return "the file name is empty", "name a file of the project, or remove the key"
    if not is_allowed(path, within):
        return f"{name!r} leaves the fetched project", "name a file of the same repository or archive"
    if not is_file(path):
        what = "is not a file" if exists(path) else "does not exist"
        return f"{name!r} {what}", "paths are relative to the project's folder"
    return "", ""
