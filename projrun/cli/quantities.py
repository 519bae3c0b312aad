"""Durations and sizes as people write and read them: `30d`, `20GB`."""

from __future__ import annotations

import math
import re

from projrun.errors import RequestError
from projrun.settings.quantities import duration

_BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY_BYTES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def parse_duration(text: str, option: str) -> float:
    """Seconds of `30d` or `2d8h`; RequestError for an invalid duration, and without a unit: 30 could be days."""
    whole = re.fullmatch(r"(?:[^a-zA-Z]+[a-zA-Z]+)+", text.strip())
    parts = [duration(part) for part in re.findall(r"[^a-zA-Z]+[a-zA-Z]+", text)] if whole else [None]
    if None in parts:
        raise RequestError(f"{option}: {text!r} is not a duration", hint="for example 30d, 12h or 2d8h")
    return math.fsum(filter(None, parts))


def parse_size(text: str, option: str) -> int:
    """Bytes: GB counts in thousands, GiB in 1,024s, as the standards have it; RequestError for an invalid size."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([KMGT]?)(I?)B?", text.strip().upper())
    if match is None or (match[3] and not match[2]):
        raise RequestError(f"{option}: {text!r} is not a size", hint="for example 20GB, 500MB or 1.5GiB")
    unit = (_BINARY_BYTES if match[3] else _BYTES)[match[2]]
    return round(float(match[1]) * unit)


def count_text(count: int, word: str, plural: str = "") -> str:
    """`1 entry`, `2 entries`; the plural is the word with an `s` where none is given."""
    return f"{count} {word if count == 1 else plural or f'{word}s'}"


def size_text(size: int) -> str:
    """`0 B`, `532 kB`, `1.4 GB`."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if unit in ("GB", "TB") else f"{value:.0f} {unit}"


def age_text(seconds: float) -> str:
    """`just now`, `5 min`, `3 h`, `12 d`."""
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} d"


def ago_text(seconds: float) -> str:
    """`just now`, `40 d ago`."""
    text = age_text(seconds)
    return text if text == "just now" else f"{text} ago"
