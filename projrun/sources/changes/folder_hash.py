"""The content of a folder without a commit, as one hash. On the hot path for projects in plain folders."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from projrun.cache.digests import sha256_for
from projrun.tuples import NamedTuple
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


FILES_TAG = "projrun.source.files"
"""The files of the source by name, each with the beginning of its hash; not recorded where they are too many."""
WRITTEN_TAG = "projrun.source.written"
"""Files of the folder that the run has written: they are not its source."""

_LONGEST_TAG = 5000
"""Characters: what every MLflow server takes."""
_DIGITS = 12
_CODE = (".py", ".sh", ".R")
_PROJECT_FILES = frozenset(
    (
        "MLproject",
        "python_env.yaml",
        "conda.yaml",
        "pyproject.toml",
        "requirements.txt",
        "uv.lock",
        "pylock.toml",
    )
)


class FolderContent(NamedTuple):
    """The files below a folder that count."""

    text: str
    """`sha256:HEX` over all of them, or `not computed: ` and why."""
    files: Mapping[str, str] = {}
    """The beginning of each one's hash, by path."""

    @property
    def tag(self) -> str:
        """The files as FILES_TAG; empty where they are too many."""
        return _tag(self.files) if self.files else ""


def is_code(path: str) -> bool:
    """Whether a file says what a run does: one that was edited while the run went on is no result of it."""
    name = path.rpartition("/")[2]
    return name.endswith(_CODE) or name in _PROJECT_FILES


def changed_files(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The paths of files that are new, gone or others."""
    return sorted(path for path in {*before, *now} if before.get(path) != now.get(path))


def written_tag(recorded: str, folder: Path) -> str:
    """WRITTEN_TAG at the end of a run, from FILES_TAG at its beginning; empty for none, and for too many."""
    before = read_files(recorded)
    content = folder_content(folder) if before else None
    if content is None or not content.files:
        return ""
    written = [
        path for path in changed_files(before, content.files) if path in content.files and not is_code(path)
    ]
    return _tag(written) if written else ""


def read_files(tag: str) -> dict[str, str]:
    """What FILES_TAG says; nothing for anything else."""
    try:
        found = json.loads(tag)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        return {}
    return found


def _tag(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return text if len(text) <= _LONGEST_TAG else ""


def folder_hash(folder: Path) -> str:
    """The text of `folder_content`."""
    return folder_content(folder).text


def folder_content(folder: Path) -> FolderContent:
    """`sha256:HEX` over the files below a folder, or `not computed: ` and why. The same on every machine.

    For each file, in the order of their paths (UTF-8, from the folder, with slashes): a letter, `f` or `x` for one
    that its owner may execute or `l` for a symbolic link, a NUL, the path, a NUL, and the SHA-256 of the content or
    of the link's text. Version control, caches, environments and MLflow's own folders do not count.
    """
    try:
        files = _Files(folder)
        new = sha256_for(files.size)
        digest = new()
        known = {}
        for path, letter in sorted(files.found.items()):
            content = _content(folder, path, letter, new, files.check_time)
            digest.update(letter + b"\0" + path + b"\0" + content.digest())
            known[path.decode("utf-8", "surrogateescape")] = letter.decode() + content.hexdigest()[:_DIGITS]
    except _Unhashed as reason:
        return FolderContent(f"not computed: {reason}")
    except OSError as error:
        name = os.path.relpath(error.filename, folder) if isinstance(error.filename, str) else "a file"
        return FolderContent(f"not computed: {name!r} cannot be read: {error.strerror}")
    return FolderContent(f"sha256:{digest.hexdigest()}", known)


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
