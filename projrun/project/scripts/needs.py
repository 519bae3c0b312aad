"""What a script needs: its inline block (PEP 723), else the packages that it imports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from projrun.project.model import Location
from projrun.project.scripts.syntax import Module
from projrun.project.text import LocatedError, parse_toml

_BLOCK = r"(?m)^# /// script[ \t]*\r?\n((?:#(?:| .*)\r?\n)+?)# ///[ \t]*$"
_VERSION = r"(>=|==|~=|<=|<|>)\s*(\d+)\.(\d+)"

_PACKAGES = {
    "sklearn": "scikit-learn", "skimage": "scikit-image", "cv2": "opencv-python", "PIL": "pillow",
    "yaml": "pyyaml", "bs4": "beautifulsoup4", "dateutil": "python-dateutil", "dotenv": "python-dotenv",
    "attr": "attrs", "git": "gitpython", "Crypto": "pycryptodome", "serial": "pyserial", "umap": "umap-learn",
    "igraph": "python-igraph", "osgeo": "gdal", "faiss": "faiss-cpu", "MySQLdb": "mysqlclient",
    "psycopg2": "psycopg2-binary", "imblearn": "imbalanced-learn", "Levenshtein": "levenshtein", "jwt": "pyjwt",
    "docx": "python-docx", "fitz": "pymupdf", "ruamel": "ruamel.yaml", "zmq": "pyzmq", "Bio": "biopython",
    "hydra": "hydra-core", "absl": "absl-py", "OpenSSL": "pyopenssl", "mpl_toolkits": "matplotlib",
    "pkg_resources": "setuptools", "skopt": "scikit-optimize",
}  # fmt: skip
"""Packages that are imported under another name than they are installed by."""
_PROVIDED = frozenset({"projrun", "projrun_backends", "__future__"})
"""`projrun.log` is on the path of every command."""
_NAMESPACES = {"google.cloud": "google-cloud-{}", "azure": "azure-{}"}


class Needs(NamedTuple):
    """What an environment must have."""

    dependencies: tuple[str, ...]
    python: str = ""
    """`3.11`, where the script says it."""
    origin: str = ""


def inline_needs(module: Module, name: str) -> Needs | None:
    """What the script's block says; None where it has none. Raises RequestError for one that is not TOML."""
    found = re.search(_BLOCK, module.text)
    if found is None:
        return None
    lines = [line.removeprefix("#").removeprefix(" ") for line in found[1].splitlines()]
    line = module.text.count("\n", 0, found.start()) + 1
    try:
        table = parse_toml("\n".join(lines))
    except ValueError as error:
        raise LocatedError(Location(name, line, 1), f"the script block is not TOML: {error}") from None
    listed = table.get("dependencies", [])
    dependencies = tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
    wanted = table.get("requires-python", "")
    python = python_for(wanted if isinstance(wanted, str) else "")
    return Needs(dependencies, python, f"the block of {name}")


def imported_needs(modules: Sequence[Module], folder: Path) -> Needs:
    """The packages that scripts and the modules beside them import, by the names they are installed by."""
    names: set[str] = set()
    waiting, seen = list(modules), set[Path]()
    while waiting:
        for name in _imported(waiting.pop().tree):
            first = name.partition(".")[0]
            local = next((path for path in (folder / f"{first}.py", folder / first) if path.exists()), None)
            if local is None:
                names.add(_package(name))
            elif local.suffix == ".py" and local not in seen:
                seen.add(local)
                waiting.append(Module(local))
    return Needs(tuple(sorted(names - {""})), "", "the imports")


def python_for(wanted: str) -> str:
    """The minor version for a `requires-python`: the one that runs this where it fits, else one that it names."""
    clauses = [(sign, (int(major), int(minor))) for sign, major, minor in re.findall(_VERSION, wanted)]
    running = sys.version_info[:2]
    named = [version for sign, version in clauses if sign in (">=", "==", "~=")]
    fits = {
        ">=": lambda version: running >= version,
        ">": lambda version: running >= version,
        "<": lambda version: running < version,
        "<=": lambda version: running <= version,
        "==": lambda version: running == version,
        "~=": lambda version: running >= version,
    }
    chosen = running if all(fits[sign](version) for sign, version in clauses) or not named else named[0]
    return f"{chosen[0]}.{chosen[1]}"


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _package(name: str) -> str:
    first = name.partition(".")[0]
    if first in sys.stdlib_module_names or first in _PROVIDED:
        return ""
    for namespace, package in _NAMESPACES.items():
        if name.startswith(f"{namespace}."):
            return package.format(name.removeprefix(f"{namespace}.").partition(".")[0].replace("_", "-"))
    return _PACKAGES.get(first, first.replace("_", "-"))
