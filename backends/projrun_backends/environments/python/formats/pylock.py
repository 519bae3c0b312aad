"""`pylock.toml` (PEP 751): uv installs from the file itself; pip gets what it says as requirement lines with hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.typed import TYPE_CHECKING
from projrun_backends.environments.python.formats.toml_values import one_line, one_word, package_name
from projrun_backends.environments.python.requirements import Line, display_name, read_requirement_lines
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.toml_files import read_large, read_toml, table_of
from projrun_backends.environments.python.versions import PythonRequest

if TYPE_CHECKING:
    from typing import Any

FILE_NAME = r"pylock(?:\.[^.]+)?\.toml"
_VERSION = r"[\w.!+-]+"
_CHOSEN = r"\b(?:extras|dependency_groups)\b"
_PYPI = "https://pypi.org/simple"
_SHA256 = r"[0-9a-fA-F]{64}"


def read_pylock(file: Path, project: Path, environ: Mapping[str, str]) -> EnvironmentSpec:
    """The spec of a lock file; RequestError for one that is wrong, or of a later version of the standard."""
    name = display_name(file, project)
    text = read_large(file, name)
    document = read_toml(text, name)
    packages = _packages(document, name)
    hashed = all(_hashes(package) for package in packages)
    lines = [*_indexes(packages, file), *(_line(package, hashed, name) for package in packages)]
    requirements = read_requirement_lines(lines, file.parent, file.parent, environ)
    unhashed = () if hashed else (f"{name} has packages without hashes: pip checks none",)
    chosen = any(re.search(_CHOSEN, str(package.get("marker", ""))) for package in packages)
    return EnvironmentSpec(
        source=name,
        python=_python(document, name),
        python_origin=f"{name}: requires-python",
        python_required=True,
        requirements=requirements,
        files=(file,),
        dependency_file=file,
        needs_uv=f"the markers of {name} name extras or dependency groups" if chosen else "",
        pinned=True,
        pip_warnings=unhashed,
        seeded=True,
        texts=(text,),
    )


def _packages(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    version = document.get("lock-version")
    if not isinstance(version, str) or not re.fullmatch(r"1\.\d+", version):
        raise RequestError(f"{name}: lock-version {version!r} is not 1.0", hint="PEP 751 says what it may be")
    packages = document.get("packages")
    if not isinstance(packages, list) or not all(isinstance(package, dict) for package in packages):
        raise RequestError(f"{name}: packages must be a list of tables")
    return packages


def _python(document: Mapping[str, Any], name: str) -> PythonRequest | None:
    text = document.get("requires-python")
    if text is None:
        return None
    request = PythonRequest.parse(one_line(text, f"{name}: requires-python"))
    if request is None:
        raise RequestError(
            f"{name}: requires-python: {text!r} is not a Python version", hint='for example ">=3.10"'
        )
    return request


def _line(package: Mapping[str, Any], hashed: bool, name: str) -> Line:
    called = package_name(package.get("name"), name)
    origin = f"{name}: {called}"
    marker = one_line(package.get("marker", ""), origin)
    hashes = "".join(f" --hash=sha256:{one}" for one in _hashes(package)) if hashed else ""
    ending = (f" ; {marker}" if marker else "") + hashes
    place = _place(package, origin)
    if place.startswith("-e ") and not marker:
        return Line(place, origin)
    if place:  # pip takes no marker after -e
        return Line(f"{called} @ {place.removeprefix('-e ')}{ending}", origin)
    version = one_word(package.get("version"), origin)
    if not re.fullmatch(_VERSION, version):
        raise RequestError(f"{origin}: {version!r} is not a version")
    return Line(f"{called}=={version}{ending}", origin)


def _place(package: Mapping[str, Any], origin: str) -> str:
    """Where a package that is not in an index comes from; empty for others."""
    for kind in ("vcs", "directory", "archive"):
        table = table_of(package, kind)
        if table:
            break
    else:
        return ""
    below = f"#subdirectory={one_word(table['subdirectory'], origin)}" if "subdirectory" in table else ""
    where = one_word(table["url"], origin) if "url" in table else _path(one_line(table.get("path"), origin))
    if kind == "vcs":
        system, commit = one_word(table.get("type"), origin), one_word(table.get("commit-id"), origin)
        return f"{system}+{where}@{commit}{below}"
    if kind == "directory" and table.get("editable") is True:
        return f"-e {where}"
    return f"{where}{below}"


def _path(text: str) -> str:
    return text if text.startswith(("/", "./", "../")) else f"./{text}"


def _built(package: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The wheels and the source distribution."""
    wheels = package.get("wheels", [])
    tables = [*(wheels if isinstance(wheels, list) else []), package.get("sdist")]
    yield from (table for table in tables if isinstance(table, dict))


def _hashes(package: Mapping[str, Any]) -> list[str]:
    """The SHA-256 of each file; none where a file has none."""
    files = [*_built(package), *filter(None, [table_of(package, "archive")])]
    found = [str(table_of(file, "hashes").get("sha256", "")) for file in files]
    return found if all(re.fullmatch(_SHA256, one) for one in found) else []


def _indexes(packages: list[Mapping[str, Any]], file: Path) -> Iterator[Line]:
    """Where the files are, beside the index that the machine names for PyPI."""
    origin = file.name
    indexes = (package["index"] for package in packages if "index" in package)
    for index in dict.fromkeys(one_word(index, origin).rstrip("/") for index in indexes):
        if index != _PYPI:
            yield Line(f"--extra-index-url {index}", origin)
    paths = (
        one_line(one["path"], origin) for package in packages for one in _built(package) if "path" in one
    )
    for folder in dict.fromkeys(str(Path(path).parent) for path in paths):
        yield Line(f"--find-links {_path(folder)}", origin)
