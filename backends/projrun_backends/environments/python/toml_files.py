"""Environment files in TOML, and lock files: read with bounds, and without a YAML parser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.bounded import LARGEST_LOCK
from projrun.errors import RequestError
from projrun.project.files import exists, is_file
from projrun.project.text import parse_toml, read_text
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def read_large(file: Path, name: str) -> str:
    """The text of a lock file: several megabytes are usual. RequestError for more than 64 MiB, or no file."""
    if exists(file) and not is_file(file):
        raise RequestError(f"{name} is {'a folder' if file.is_dir() else 'not a regular file'}")
    return read_text(file, name, LARGEST_LOCK)


def read_toml(text: str, name: str) -> dict[str, Any]:
    """A TOML text as a table; RequestError, with the place, for anything else."""
    try:
        return parse_toml(text)
    except ValueError as error:
        raise RequestError(f"{name}: not TOML: {error}") from None


def table_of(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The table of that name; an empty one where there is none."""
    found = table.get(name, {})
    return found if isinstance(found, dict) else {}
