"""Reading what others hand over: files and documents that may be endless, huge or nested without end."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

LARGEST_FILE = 1 << 20
LARGEST_LOCK = 1 << 26
"""Of lock files several megabytes are usual."""
DEEPEST = 64
"""Levels of nesting: what walks through a document later may be recursive."""


def read_file(path: Path, largest: int = LARGEST_FILE) -> bytes:
    """The content of a regular file, links followed.

    Raises OSError, also for a pipe or a device, which may never end, and for more than `largest` bytes; ValueError
    for what cannot be a path.
    """
    # Without waiting for the writer of a named pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        data = stream.read(largest + 1)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"larger than {largest >> 20} MiB", str(path))
    return data


def parse_toml(text: str) -> dict[str, Any]:
    """A TOML text; ValueError says where it is wrong, or that it is nested too deeply."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise _too_deep() from None
    _check_depth(document)
    return document


def parse_json(text: str) -> object:
    """A JSON text; ValueError says where it is wrong, or that it is nested too deeply."""
    import json

    try:
        document: object = json.loads(text)
    except RecursionError:
        raise _too_deep() from None
    _check_depth(document)
    return document


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(DEEPEST + 1):
        level = [inner for value in level if isinstance(value, (dict, list)) for inner in _nested(value)]
        if not level:
            return
    raise _too_deep()


def _nested(value: dict[str, object] | list[object]) -> list[object]:
    items = value.values() if isinstance(value, dict) else value
    return [item for item in items if isinstance(item, (dict, list))]


def _too_deep() -> ValueError:
    return ValueError(f"nested deeper than {DEEPEST} levels")
