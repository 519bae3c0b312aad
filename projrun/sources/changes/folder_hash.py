"""The content of a folder without a commit, as one hash. On the hot path for projects in plain folders."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from projrun.cache.digests import sha256_for
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_MOST_BYTES = 256 * 1024 * 1024
_MOST_FILES = 20_000
_TIMEOUT = 5.0
_BLOCK = 1024 * 1024
_LEFT_OUT = frozenset(
    (
        *(".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache"),
        *(".ruff_cache", ".tox", ".nox", "node_modules", "mlruns", "mlartifacts", "mlflow.db", ".DS_Store"),
    )
)
_ENVIRONMENTS = frozenset(("pyvenv.cfg", "conda-meta"))
"""The marks of a virtual environment or a conda prefix."""


class _Unhashed(Exception):
    """Why there is no hash."""


def folder_hash(folder: Path) -> str:
    """`sha256:HEX` over the files below a folder, or `not computed: ` and why. The same on every machine.

    For each file, in the order of their paths (UTF-8, from the folder, with slashes): a letter, `f` or `x` for one
    that its owner may execute or `l` for a symbolic link, a NUL, the path, a NUL, and the SHA-256 of the content or
    of the link's text. Version control, caches, environments and MLflow's own folders do not count.
    """
    try:
        files = _Files(folder)
        new = sha256_for(files.size)
        digest = new()
        for path, letter in sorted(files.found.items()):
            content = _content(folder, path, letter, new, files.check_time)
            digest.update(letter + b"\0" + path + b"\0" + content.digest())
    except _Unhashed as reason:
        return f"not computed: {reason}"
    except OSError as error:
        name = os.path.relpath(error.filename, folder) if isinstance(error.filename, str) else "a file"
        return f"not computed: {name!r} cannot be read: {error.strerror}"
    return f"sha256:{digest.hexdigest()}"


class _Files:
    """The files that count, by their paths in bytes."""

    def __init__(self, folder: Path) -> None:
        self.found: dict[bytes, bytes] = {}
        self.size = 0
        self._deadline = time.monotonic() + _TIMEOUT
        folders = [(str(folder), b"")]
        while folders:
            folders += self._add(*folders.pop())

    def check_time(self) -> None:
        """Raises _Unhashed when it takes too long: a slow network folder, say."""
        if time.monotonic() > self._deadline:
            raise _Unhashed(f"it would take more than {_TIMEOUT:.0f} s")

    def _add(self, folder: str, prefix: bytes) -> list[tuple[str, bytes]]:
        """The folders in it are for the caller to add."""
        self.check_time()
        with os.scandir(folder) as scanned:
            entries = list(scanned)
        if prefix and not _ENVIRONMENTS.isdisjoint(entry.name for entry in entries):
            return []
        folders = []
        for entry in entries:
            path = prefix + _bytes(entry.name)
            if entry.name in _LEFT_OUT or entry.name.endswith(".pyc"):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, path + b"/"))
            else:
                self._add_file(entry.stat(follow_symlinks=False), path)
        return folders

    def _add_file(self, state: os.stat_result, path: bytes) -> None:
        if stat.S_ISLNK(state.st_mode):
            self.found[path] = b"l"
        elif stat.S_ISREG(state.st_mode):
            self.found[path] = b"x" if state.st_mode & stat.S_IXUSR else b"f"
            self.size += state.st_size
        if self.size > _MOST_BYTES:
            raise _Unhashed(f"more than {_MOST_BYTES // 1024**2} MiB")
        if len(self.found) > _MOST_FILES:
            raise _Unhashed(f"more than {_MOST_FILES:,} files")


def _content(
    folder: Path, path: bytes, letter: bytes, new: Callable[..., Any], check_time: Callable[[], None]
) -> Any:
    check_time()
    place = folder / os.fsdecode(path)
    if letter == b"l":
        return new(_bytes(str(place.readlink())))
    digest, left = new(), _MOST_BYTES
    with place.open("rb", buffering=0) as stream:
        while left > 0 and (block := stream.read(_BLOCK)):
            check_time()  # a slow disk's, or a file that grows
            digest.update(block)
            left -= len(block)
    return digest


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
