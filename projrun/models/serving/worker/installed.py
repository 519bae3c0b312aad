"""Compares what is installed with requirements, run by the model's own Python: `python installed.py < LINES`.

stdin has the lines of a requirements file as a JSON list; the last line of stdout has the answer. It needs Python 3.7
or later and its standard library; without `packaging`, which pip has too, only `==` is compared.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _requirement() -> Any:
    """The class that reads a requirement (PEP 508); None where nothing here has it."""
    for name in ("packaging.requirements", "pip._vendor.packaging.requirements"):
        try:
            return import_module(name).Requirement
        except ImportError:
            continue
    return None


def _version(name: str) -> str | None:
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:  # Python 3.7
        return _version_by_setuptools(name)
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _version_by_setuptools(name: str) -> str | None:
    try:
        return str(import_module("pkg_resources").get_distribution(name).version)
    except Exception:
        return None


def difference(line: str, requirement: Any) -> tuple[str, str | None] | None:
    """The line and the version that is installed, None where none is; None where the line is satisfied."""
    if requirement is None:
        match = re.fullmatch(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;*]+)", line)
        if match is None:
            return None
        installed = _version(match[1])
        return None if installed == match[2] else (line, installed)
    try:
        wanted = requirement(line)
    except ValueError:
        return None  # a path, or a URL: what is there cannot be compared
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return None
    installed = _version(wanted.name)
    if installed is not None and (wanted.url or wanted.specifier.contains(installed, prereleases=True)):
        return None
    return line, installed


def main() -> None:
    """Read the lines and print what differs."""
    sys.path[:1] = []  # this file's folder
    requirement = _requirement()
    found = (difference(line, requirement) for line in json.load(sys.stdin))
    answer = {"python": sys.version.split()[0], "differences": [one for one in found if one]}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
