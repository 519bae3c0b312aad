"""Poetry's `pyproject.toml`: what `[tool.poetry.dependencies]` asks for, as requirement lines of any installer.

The versions of a `poetry.lock` beside it are constraints: what is installed has the version that is locked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.files import exists
from projrun.typed import TYPE_CHECKING
from projrun_backends.environments.python.formats.poetry_constraints import (
    ConstraintError,
    platform_marker,
    python_marker,
    python_request,
    specifiers,
)
from projrun_backends.environments.python.formats.toml_values import (
    lines_of,
    one_line,
    one_word,
    package_name,
)
from projrun_backends.environments.python.requirements import (
    Line,
    LocalDependency,
    display_name,
    read_requirement_lines,
)
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.toml_files import read_large, read_toml, table_of
from projrun_backends.environments.python.versions import PythonRequest

if TYPE_CHECKING:
    from typing import Any

_LOCKED = r'\s*name = "([A-Za-z0-9][\w.-]*)"\s+version = "([\w.!+-]+)"'
_PACKAGE = "\n[[package]]\n"
_METADATA = r"(?m)^\[metadata\]$"
_NOT_OF_POETRY = r"""(?m)^(?!\[.*\]$|[\w"'.-]+ = .|[ \t]+["'{].|[ \t]*$|\]$|#)"""
"""The beginning of a line that Poetry would not write."""
_FOREIGN = r'(?m)^\[package\.source\]\s+type = "(?!legacy")'
_LOCK_HINT = "make it again with `poetry lock`"
_CONDITIONS = {"optional", "python", "platform", "markers"}
_PLACES = {"path", "file", "develop", "subdirectory", "git", "branch", "tag", "rev", "url", "source"}
_KNOWN = {"version", "extras", "allow-prereleases", "allows-prereleases", *_CONDITIONS, *_PLACES}


def poetry_dependencies(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """`[tool.poetry.dependencies]` where it counts: without `[project]`, or where that leaves dependencies to it."""
    poetry = table_of(table_of(document, "tool"), "poetry")
    project = table_of(document, "project")
    if "dependencies" not in poetry or ("project" in document and not _is_dynamic(project)):
        return None
    return table_of(poetry, "dependencies")


def read_poetry_project(
    file: Path, document: Mapping[str, Any], project: Path, environ: Mapping[str, str]
) -> EnvironmentSpec:
    """The spec of a Poetry project; RequestError for what no installer but Poetry could make of it."""
    folder, name = file.parent, display_name(file, project)
    poetry = table_of(table_of(document, "tool"), "poetry")
    wanted = poetry_dependencies(document) or {}
    sources = _used_sources(poetry, wanted)
    lines = [*_sources(sources, name), *_lines(wanted, name)]
    requirements = read_requirement_lines(lines, folder, folder, environ)
    if _is_package(folder, document, poetry):
        package = LocalDependency(folder, True, name)
        kept = tuple(line for line in requirements.lines if line.startswith("--"))
        requirements = requirements._replace(
            lines=(*kept, f"-e {folder.as_uri()}"), local=(package, *requirements.local)
        )
    lock = folder / "poetry.lock"
    locked = _locked(lock, project) if exists(lock) else ()
    return EnvironmentSpec(
        source=f"{name}, versions of {display_name(lock, project)}" if locked else name,
        python=_python(wanted, name),
        python_origin=f"{name}: tool.poetry.dependencies.python",
        python_required=True,
        requirements=requirements._replace(constraints=locked),
        files=(file, lock) if locked else (file,),
        uv_project=folder,
        warnings=tuple(_source_warnings(sources, name)),
    )


def _is_dynamic(project: Mapping[str, Any]) -> bool:
    dynamic = project.get("dynamic")
    return isinstance(dynamic, list) and "dependencies" in dynamic


def _is_package(folder: Path, document: Mapping[str, Any], poetry: Mapping[str, Any]) -> bool:
    """Whether Poetry would install the project itself: a build backend is named, and it would find the package."""
    if "build-system" not in document or poetry.get("package-mode") is False:
        return False
    name = poetry.get("name") or table_of(document, "project").get("name") or ""
    module = re.sub(r"[-.]+", "_", str(name)).lower()
    places = (
        folder / module,
        folder / f"{module}.py",
        folder / "src" / module,
        folder / "src" / f"{module}.py",
    )
    return "packages" in poetry or (bool(module) and any(map(exists, places)))


def _python(wanted: Mapping[str, Any], name: str) -> PythonRequest | None:
    given = wanted.get("python", "*")
    text = given.get("version", "*") if isinstance(given, dict) else given
    origin = f"{name}: tool.poetry.dependencies.python"
    try:
        translated = python_request(one_line(text, origin))
    except ConstraintError as error:
        raise RequestError(f"{origin}: {error}") from None
    return PythonRequest.parse(translated) if translated else None


def _lines(wanted: Mapping[str, Any], name: str) -> Iterator[Line]:
    for package, given in wanted.items():
        origin = f"{name}: tool.poetry.dependencies.{package}"
        if package.lower() == "python":
            continue
        for one in given if isinstance(given, list) else [given]:
            try:
                text = _requirement(package, one if isinstance(one, dict) else {"version": one}, origin)
            except ConstraintError as error:
                raise RequestError(
                    f"{origin}: {error}",
                    hint="write it so that pip understands it, or export a requirements.txt",
                ) from None
            if text:
                yield Line(text, origin)


def _requirement(package: str, given: Mapping[str, Any], origin: str) -> str:
    """One line; empty for what only an extra of the project asks for."""
    package_name(package, origin)
    unknown = given.keys() - _KNOWN
    if unknown:
        raise RequestError(f"{origin}: unknown key {min(unknown)!r}")
    if given.get("optional") is True:
        return ""
    markers = [
        python_marker(one_line(given.get("python", "*"), origin)),
        platform_marker(one_line(given["platform"], origin)) if "platform" in given else "",
        one_line(given.get("markers", ""), origin),
    ]
    marker = " and ".join(f"({one})" for one in markers if one)
    place = _place(given, origin)
    listed = [one_word(one, origin) for one in lines_of(given.get("extras", []), f"{origin}.extras")]
    extras = f"[{','.join(listed)}]" if listed else ""
    if place.startswith("-e ") and not marker:
        return place + extras
    # pip takes no marker after -e
    wanted = f" @ {place.removeprefix('-e ')}" if place else specifiers(_version(given, origin))
    return f"{package}{extras}{wanted}" + (f" ; {marker}" if marker else "")


def _version(given: Mapping[str, Any], origin: str) -> str:
    return one_line(given.get("version", "*"), origin)


def _place(given: Mapping[str, Any], origin: str) -> str:
    """Where a package comes from, as PEP 508 writes it; empty for the index."""
    subdirectory = (
        f"#subdirectory={one_word(given['subdirectory'], origin)}" if "subdirectory" in given else ""
    )
    if "git" in given:
        repository = one_word(given["git"], origin)
        secure_copy = re.fullmatch(r"([\w.-]+@[\w.-]+):(?!//)(.+)", repository)
        url = f"ssh://{secure_copy[1]}/{secure_copy[2]}" if secure_copy else repository
        ref = next((one_word(given[key], origin) for key in ("rev", "tag", "branch") if key in given), "")
        return f"git+{url}{'@' if ref else ''}{ref}{subdirectory}"
    if "url" in given:
        return f"{one_word(given['url'], origin)}{subdirectory}"
    path = next((one_line(given[key], origin) for key in ("path", "file") if key in given), "")
    if path and not path.startswith(("/", "./", "../")):
        path = f"./{path}"
    return f"-e {path}" if path and given.get("develop") is True else path


def _used_sources(poetry: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """`[[tool.poetry.source]]`, without the explicit ones that no dependency names."""
    listed = poetry.get("source", [])
    sources = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    given = [one for each in wanted.values() for one in (each if isinstance(each, list) else [each])]
    named = {str(one["source"]).lower() for one in given if isinstance(one, dict) and "source" in one}
    return [one for one in sources if not _is_explicit(one) or str(one.get("name", "")).lower() in named]


def _is_explicit(source: Mapping[str, Any]) -> bool:
    return source.get("priority") == "explicit"


def _source_warnings(sources: list[Mapping[str, Any]], name: str) -> Iterator[str]:
    for one in sources:
        if _is_explicit(one) and "url" in one:
            yield (
                f"{name}: source {str(one.get('name', ''))!r} is explicit, but the installer looks in it for every"
                " package"
            )


def _sources(sources: list[Mapping[str, Any]], name: str) -> Iterator[Line]:
    """A primary source replaces PyPI unless PyPI is listed, too."""
    origin = f"{name}: tool.poetry.source"
    with_pypi = any(str(one.get("name", "")).lower() == "pypi" for one in sources)
    option = "--extra-index-url" if with_pypi else "--index-url"
    for one in sources:
        if "url" not in one or one.get("priority", "primary") not in ("primary", "default"):
            continue
        yield Line(f"{option} {one_word(one['url'], origin)}", origin)
        option = "--extra-index-url"
    for one in sources:
        if "url" in one and one.get("priority", "primary") not in ("primary", "default"):
            yield Line(f"--extra-index-url {one_word(one['url'], origin)}", origin)


def _locked(lock: Path, project: Path) -> tuple[str, ...]:
    """`name==version` of what comes from an index; none for a package that is locked in several versions."""
    name = display_name(lock, project)
    text = read_large(lock, name).replace("\r\n", "\n")
    blocks = f"\n{text}".split(_PACKAGE)
    # A whole parser takes a second for a megabyte: it only looks at what seems wrong.
    if re.search(_NOT_OF_POETRY, text) or not re.search(_METADATA, text):
        _check_lock(text, name)
    found: dict[str, set[str]] = {}
    for number, block in enumerate(blocks[1:], 1):
        match = re.match(_LOCKED, block)
        if match is None:
            _check_lock(text, name)
            line = _PACKAGE.join(blocks[:number]).count("\n") + 1
            raise RequestError(f"{name}:{line}: not a package as Poetry writes it", hint=_LOCK_HINT)
        found.setdefault(match[1], set()).add("" if re.search(_FOREIGN, block) else match[2])
    return tuple(f"{package}=={min(versions)}" for package, versions in found.items() if _single(versions))


def _check_lock(text: str, name: str) -> None:
    try:
        document = read_toml(text, name)
    except RequestError as error:
        error.hint = _LOCK_HINT
        raise
    if "metadata" not in document:
        line = text.rstrip().count("\n") + 1
        raise RequestError(f"{name}:{line}: the file ends without [metadata]", hint=_LOCK_HINT)


def _single(versions: set[str]) -> bool:
    return len(versions) == 1 and "" not in versions
