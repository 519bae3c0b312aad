"""TOML files, on Python 3.10 too."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def read_toml(file: Path) -> dict[str, Any]:
    """The content of a TOML file."""
    return parse_toml(file.read_text(encoding="utf-8"))


def parse_toml(text: str) -> dict[str, Any]:
    """The content of a TOML text."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    content: dict[str, Any] = tomllib.loads(text)
    return content
