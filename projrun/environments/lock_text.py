"""What the text of a lock says: which kind of environment it is of, and what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

LockKind = Literal["python", "conda", "image", "toml"]

_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([\w.!+-]+)")
_NAMED_PLACE = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*@\s*(\S+)")
_PYTHON = re.compile(r"# python (\S+)")
_PIP = re.compile(r"#\s*pip\s+(\S.*)")
_CONDA_FILE = re.compile(r".*/([^/]+)-([^/-]+)-([^/-]+)\.(?:conda|tar\.bz2)(?:#.*)?")
_IMAGE = re.compile(r"(\w+):\s+(\S+)")
_FOREIGN: tuple[tuple[LockKind, str], ...] = (
    ("image", r"(?m)^(?:(?:image:\s*)?\S+@|(?:id|base):\s*)sha256:[0-9a-f]{64}\s*$"),
    ("conda", r"(?m)^(?:@EXPLICIT\s*|(?:environments|platforms|channels|metadata|package|packages):.*)$"),
    ("toml", r"(?m)^(?:\[\[packages?\]\]|(?:lock-)?version\s*=.*)$"),
)


def lock_kind(text: str) -> LockKind:
    """What a lock is for, by its text alone."""
    for kind, pattern in _FOREIGN:
        if re.search(pattern, text):
            return kind
    return "python"


def locked_packages(text: str) -> Mapping[str, str]:
    """Names and versions; for a package from elsewhere, its location. Never fails: other lines are skipped."""
    kind = lock_kind(text)
    lines = [line.strip() for line in text.splitlines()]
    if kind == "image":
        return {match[1]: match[2] for line in lines if (match := _IMAGE.fullmatch(line))}
    return dict(_conda(lines) if kind == "conda" else _python(lines))


def _python(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if match := _PYTHON.fullmatch(line):
            yield "python", match[1]
        elif (match := _NAMED_PLACE.match(line)) or (match := _PINNED.match(line)):
            yield normalized_name(match[1]), match[2]
        elif line.startswith(("./", "-e ")):
            yield line.removeprefix("-e ").strip(), "editable" if line.startswith("-e ") else "local"


def _conda(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if match := _CONDA_FILE.fullmatch(line):
            yield match[1], f"{match[2]} {match[3]}"
    yield from _python([match[1] for line in lines if (match := _PIP.fullmatch(line))])


def normalized_name(name: str) -> str:
    """The spelling in which PyPI compares the names of packages (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
