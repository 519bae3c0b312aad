"""The small files of MLflow's file store: YAML, and folders whose files are keys and values."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from projrun.errors import TrackingError

META = "meta.yaml"
_LARGEST = 16 * 1024 * 1024
"""Bytes of a value or a YAML file; MLflow's largest, a dataset's profile, is as long."""
_LONGEST = 64 * 1024
"""Characters of a line of a metric."""


class UnreadableError(TrackingError):
    """A file of the store cannot be read: the rest of it can."""


class Meta:
    """A `meta.yaml`, whose values are checked when they are asked for."""

    def __init__(self, folder: Path) -> None:
        """Raises UnreadableError."""
        self.file = folder / META
        self._values = _read_yaml(self.file)

    def text(self, key: str, otherwise: str | None = None) -> str:
        """A text; without `otherwise` it must be there. Old versions wrote ids as numbers."""
        value = self._values.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value)
        if otherwise is None or value is not None:
            raise UnreadableError(f"{self.file}: {key!r} is missing or not a text")
        return otherwise

    def optional(self, key: str) -> str | None:
        """A text, or None."""
        return self.text(key, "") if self._values.get(key) is not None else None

    def number(self, key: str, otherwise: int | None = None) -> int:
        """A whole number."""
        value = self._values.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if otherwise is None or value is not None:
            raise UnreadableError(f"{self.file}: {key!r} is missing or not a number")
        return otherwise

    def pairs(self, key: str) -> Mapping[str, str]:
        """A mapping of texts."""
        value = self._values.get(key) or {}
        # Not what is nested: its aliases, written out, may be more than any memory holds.
        if not isinstance(value, dict) or any(isinstance(text, (dict, list, set)) for text in value.values()):
            raise UnreadableError(f"{self.file}: {key!r} is not a mapping of texts")
        return {str(name): str(text) for name, text in value.items()}


def _read_yaml(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.load(read_text(file), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise UnreadableError(f"{file}{line}: not valid YAML") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"{file} is {'empty' if found is None else 'not a mapping'}")
    return found


def read_text(file: Path) -> str:
    """A file's text, as it is. Raises UnreadableError."""
    try:
        if not file.is_file():
            raise UnreadableError(f"{file} does not exist or is not a file")
        with file.open(encoding="utf-8", errors="replace", newline="") as opened:
            text = opened.read(_LARGEST + 1)
    except OSError as error:
        raise UnreadableError(f"{file}: {error.strerror}") from error
    if len(text) > _LARGEST:
        raise UnreadableError(f"{file} has more than {_LARGEST} characters")
    return text


def keys(folder: Path) -> Iterator[tuple[str, Path]]:
    """The keys of a folder, sorted, and their files: one with `/` is in a folder of its own. Links are not followed.

    Raises UnreadableError.
    """
    if folder.is_symlink():
        raise UnreadableError(f"{folder} is a link, which is not followed")
    return _keys(folder, "")


def _keys(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for entry in entries(folder):
        if entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _keys(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry


def lines(file: Path) -> Iterator[tuple[int, str]]:
    """A file's lines, which may be millions, with their numbers. Raises UnreadableError."""
    try:
        with open(file, encoding="utf-8", errors="replace", opener=_open_regular) as opened:
            for number in count(1):
                line = opened.readline(_LONGEST + 1)
                if len(line) > _LONGEST:
                    raise UnreadableError(f"{file}, line {number}: more than {_LONGEST} characters")
                if not line:
                    return
                yield number, line
    except OSError as error:
        raise UnreadableError(f"{file}: {error.strerror}") from error


def _open_regular(path: str, flags: int) -> int:
    """A pipe without a writer would be waited for."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "is not a file", path)


def entries(folder: Path) -> list[Path]:
    """What is in a folder, sorted; nothing where there is none. Raises UnreadableError."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UnreadableError(f"{folder}: {error.strerror}") from error
