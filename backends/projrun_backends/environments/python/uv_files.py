"""Projects that uv installs: `pyproject.toml`, with or without a `uv.lock` next to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.text import read_text
from projrun.typed import TYPE_CHECKING
from projrun_backends.environments.python.formats.poetry import poetry_dependencies, read_poetry_project
from projrun_backends.environments.python.requirements import LocalDependency, Requirements, display_name
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.toml_files import read_large, read_toml, table_of
from projrun_backends.environments.python.versions import PythonRequest

if TYPE_CHECKING:
    from typing import Any

_SOURCE = re.compile(r'source = \{ (editable|directory|path) = "([^"]+)" \}')

_MEMBER = r'source = \{ (?:editable|virtual) = "%s" \}'


def read_uv_project(file: Path, project: Path, environ: Mapping[str, str]) -> EnvironmentSpec:
    """From a `pyproject.toml` or `uv.lock` that the project names; the other is looked up next to it."""
    folder = file.parent
    pyproject = folder / "pyproject.toml"
    name = display_name(pyproject, project)
    text = read_text(pyproject, name)
    table = read_toml(text, name)
    lock = _lock(folder, project)
    if lock is None and poetry_dependencies(table) is not None:
        return read_poetry_project(pyproject, table, project, environ)
    origin = f"{name}: requires-python"
    python = _required_python(table, origin)
    files = [pyproject, *([lock] if lock else []), *_workspace_files(lock, folder), *_extra_files(folder)]
    texts = tuple(read_large(path, display_name(path, project)) for path in files)
    if lock:
        requirements = Requirements(local=locked_sources(texts[1], lock, project))
    else:
        requirements = _unlocked(folder, table, name)
    return EnvironmentSpec(
        source=display_name(lock or pyproject, project),
        python=python,
        python_origin=origin if python else "",
        python_required=python is not None,
        requirements=requirements,
        files=tuple(files),
        locked_project=folder if lock else None,
        dependency_file=None if lock or _is_package(table) else pyproject,
        uv_project=folder,
        seeded=False,
        texts=texts,
    )


def _lock(folder: Path, project: Path) -> Path | None:
    """The `uv.lock` beside the file, else that of the workspace around it where it names the folder, as uv does."""
    if (folder / "uv.lock").is_file():
        return folder / "uv.lock"
    for parent in folder.resolve().parents:
        pyproject, lock = parent / "pyproject.toml", parent / "uv.lock"
        if pyproject.is_file() and _is_workspace(pyproject, project):
            member = folder.resolve().relative_to(parent).as_posix()
            named = lock.is_file() and re.search(
                _MEMBER % re.escape(member), read_large(lock, display_name(lock, project))
            )
            return lock if named else None
    return None


def _is_workspace(pyproject: Path, project: Path) -> bool:
    name = display_name(pyproject, project)
    table = read_toml(read_text(pyproject, name), name)
    return "workspace" in table_of(table_of(table, "tool"), "uv")


def _workspace_files(lock: Path | None, folder: Path) -> list[Path]:
    return [lock.parent / "pyproject.toml"] if lock and lock.parent != folder else []


def _required_python(table: Mapping[str, Any], origin: str) -> PythonRequest | None:
    text = str(table_of(table, "project").get("requires-python", ""))
    request = PythonRequest.parse(text) if text else None
    if text and request is None:
        raise RequestError(f"{origin}: {text!r} is not a Python version", hint='for example ">=3.10"')
    return request


def _extra_files(folder: Path) -> list[Path]:
    return [path for name in ("uv.toml", ".python-version") if (path := folder / name).is_file()]


def locked_sources(lock: str, file: Path, project: Path) -> tuple[LocalDependency, ...]:
    """The local folders and files that a lock file names; `virtual` ones are not installed."""
    name = display_name(file, project)
    return tuple(
        LocalDependency((file.parent / path).resolve(), kind == "editable", name)
        for kind, path in _SOURCE.findall(lock)
    )


def _unlocked(folder: Path, table: Mapping[str, Any], name: str) -> Requirements:
    """A package is installed editable, as `uv sync` does; of any other project only what it depends on."""
    local = path_sources(folder, table, name)
    if _is_package(table):
        package = LocalDependency(folder, True, name)
        return Requirements(lines=(f"-e {folder.as_uri()}",), local=(package, *local))
    wanted = table_of(table, "project").get("dependencies", [])
    if not isinstance(wanted, list) or not all(isinstance(line, str) for line in wanted):
        raise RequestError(f"{name}: project.dependencies must be a list of strings")
    return Requirements(lines=tuple(wanted), local=local)


def path_sources(folder: Path, table: Mapping[str, Any], name: str) -> tuple[LocalDependency, ...]:
    """The local folders and files that `[tool.uv.sources]` names."""
    sources = table_of(table_of(table_of(table, "tool"), "uv"), "sources")
    return tuple(
        LocalDependency(
            (folder / str(source["path"])).resolve(),
            source.get("editable") is True,
            f"{name}: tool.uv.sources.{package}",
        )
        for package, source in sources.items()
        if isinstance(source, dict) and "path" in source
    )


def _is_package(table: Mapping[str, Any]) -> bool:
    if table_of(table_of(table, "tool"), "poetry").get("package-mode") is False:
        return False  # Poetry's build backend would refuse
    packaged = table_of(table_of(table, "tool"), "uv").get("package")
    return bool(packaged) if packaged is not None else "build-system" in table
