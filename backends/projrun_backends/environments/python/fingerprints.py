"""The content of local dependencies, for the key of an environment that holds them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from projrun.errors import RequestError
from projrun_backends.environments.python.requirements import LocalDependency

_BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "MANIFEST.in")
_LEFTOVERS = frozenset({"__pycache__", "build", "dist", "mlruns", "mlartifacts", "node_modules"})
"""Folders that building, running or testing leaves in a source tree."""
_CHUNK = 1 << 20


def fingerprint(dependency: LocalDependency) -> str:
    """What a dependency on a local path adds to the key.

    A copy counts with its whole content. An editable one is private to its real path and counts with the
    files that say what it depends on: its code may change without a rebuild, which is what editable means.
    Raises RequestError for what cannot be read.
    """
    try:
        return _fingerprint(dependency)
    except OSError as error:
        raise RequestError(
            f"{dependency.origin}: {error.filename or dependency.path} cannot be read: {error.strerror}"
        ) from None


def _fingerprint(dependency: LocalDependency) -> str:
    if dependency.editable:
        return f"editable {os.path.realpath(dependency.path)} {_digest(_build_files(dependency.path))}"
    if not dependency.path.is_file() and not dependency.path.is_dir():
        raise OSError(
            errno.EINVAL, "not a regular file", str(dependency.path)
        )  # a pipe or a device may never end
    if dependency.path.is_dir():
        return f"tree {_digest(_tree(dependency.path, dependency.path))}"
    # The name of a wheel says which package and which interpreters it is for.
    return f"file {dependency.path.name} {_digest([(dependency.path.name, dependency.path)])}"


def _digest(files: Iterator[tuple[str, Path]] | list[tuple[str, Path]]) -> str:
    from hashlib import sha256  # which loads OpenSSL, and only projects with packages of their own need it

    digest = sha256()
    for name, path in files:
        content = sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                content.update(chunk)
        digest.update(f"{name}\0{content.hexdigest()}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _build_files(folder: Path) -> list[tuple[str, Path]]:
    requirements = sorted(path.name for path in folder.glob("*requirements*.txt"))
    names = [*_BUILD_FILES, *requirements]
    return [(name, folder / name) for name in names if (folder / name).is_file()]


def _tree(folder: Path, top: Path) -> Iterator[tuple[str, Path]]:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if not _left_over(entry.name, path):
                yield from _tree(path, top)
        elif entry.is_file() and not entry.name.endswith((".pyc", ".pyo")):
            yield path.relative_to(top).as_posix(), path


def _left_over(name: str, path: Path) -> bool:
    hidden = name.startswith(".")
    return hidden or name in _LEFTOVERS or name.endswith(".egg-info") or (path / "pyvenv.cfg").exists()
