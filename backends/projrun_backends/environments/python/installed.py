"""What is installed in an environment, read from its files as `pip freeze` would say it: nothing in it is run."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from projrun.credentials import without_credentials

_MOST_PACKAGES = 5000
_LARGEST_HEAD = 1 << 16
"""The bytes of a file that are read: names and versions are at the beginning."""
_CONDA_PYTHON = r"python-(\d+\.\d+\.\d+\w*)-\w+\.json"
_LIBRARY = r"python(\d+\.\d+)t?"


def installed_packages(prefix: Path, *, except_by: str = "") -> list[str]:
    """One requirement line for each package below the prefix, at most 5,000, by name.

    `except_by` names an installer (`conda`) whose packages are left out.
    """
    folders = islice(_metadata_folders(prefix), _MOST_PACKAGES)
    lines = (
        _requirement(folder)
        for folder in folders
        if not except_by or _read(folder / "INSTALLER").strip() != except_by
    )
    return sorted({line for line in lines if line}, key=str.lower)


def python_version(prefix: Path) -> str:
    """The version of the environment's Python from its files, `3.11.7` or `3.11`; empty if unknown."""
    settings = _read(prefix / "pyvenv.cfg")
    match = re.search(r"(?m)^version(?:_info)?\s*=\s*(\d+\.\d+\.\d+)", settings)
    if match:
        return match[1]
    names = [*_names(prefix / "conda-meta"), *_names(prefix / "lib")]
    found = (re.fullmatch(pattern, name) for pattern in (_CONDA_PYTHON, _LIBRARY) for name in names)
    return next((match[1] for match in found if match), "")


def _metadata_folders(prefix: Path) -> Iterator[Path]:
    for library in _libraries(prefix):
        for name in _names(library):
            if name.endswith((".dist-info", ".egg-info")):
                yield library / name


def _libraries(prefix: Path) -> list[Path]:
    folders = [prefix / base / name for base in ("lib", "lib64") for name in _names(prefix / base)]
    found = {os.path.realpath(folder / "site-packages"): folder for folder in folders}
    return [folder / "site-packages" for folder in found.values() if re.fullmatch(_LIBRARY, folder.name)]


def _requirement(folder: Path) -> str | None:
    text = _read(folder / "METADATA") or _read(folder / "PKG-INFO") or _read(folder)
    fields = dict(re.findall(r"(?m)^(Name|Version):\s*(\S+)\s*$", text.partition("\n\n")[0]))
    if len(fields) < 2:
        return None
    place = _place(folder / "direct_url.json", fields["Name"])
    return place or f"{fields['Name']}=={fields['Version']}"


def _place(file: Path, name: str) -> str | None:
    """What PEP 610 records about a package that did not come from an index."""
    text = _read(file)
    if not text:
        return None
    try:
        document = json.loads(text)
        return _reference(document, name)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _reference(document: Mapping[str, Any], name: str) -> str:
    url = without_credentials(str(document["url"]))
    if document.get("dir_info", {}).get("editable"):
        return f"-e {url}"
    fragment = f"#subdirectory={document['subdirectory']}" if document.get("subdirectory") else ""
    repository = document.get("vcs_info")
    if repository:
        return f"{name} @ {repository['vcs']}+{url}@{repository['commit_id']}{fragment}"
    return f"{name} @ {url}{fragment}"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return []


def _read(file: Path) -> str:
    """The beginning of a file; empty where there is none."""
    try:
        with file.open("rb") as stream:
            return stream.read(_LARGEST_HEAD).decode(errors="replace").replace("\r\n", "\n")
    except OSError:
        return ""
