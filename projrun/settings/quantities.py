"""Quantities as people write them: `30m`, `4G`, `2.5`. None for any other text."""

from __future__ import annotations

import re

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LONGEST = 1e9
"""Seconds: 31 years."""
_BYTES = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_LARGEST = 2**62
_NUMBER = r"[0-9]{1,19}(?:\.[0-9]{1,9})?"


def duration(text: str) -> float | None:
    """Seconds: `90`, `1.5h`."""
    match = re.fullmatch(rf"({_NUMBER})\s*([smhdw]?)", text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2] or "s"] if match else _LONGEST + 1
    return seconds if seconds <= _LONGEST else None


def memory(text: str) -> int | None:
    """Bytes, with Docker's units: `512m`, `4G` and `4GiB` count in 1,024s."""
    match = re.fullmatch(rf"({_NUMBER})\s*(B|[KMGT]?)(?:(?<=[KMGT])I?B)?", text.strip().upper())
    size = round(float(match[1]) * _BYTES[match[2]]) if match else _LARGEST
    return size if size < _LARGEST else None


def count(text: str, largest: int) -> int | None:
    """A whole number up to `largest`."""
    match = re.fullmatch(r"[0-9]{1,6}", text.strip(), re.ASCII)
    return int(text) if match and int(text) <= largest else None


def processors(text: str) -> float | None:
    """`2.5`: the time of so many processors."""
    match = re.fullmatch(r"[0-9]{1,4}(?:\.[0-9]{1,3})?", text.strip(), re.ASCII)
    return float(text) if match else None


def duration_text(seconds: float) -> str:
    """In the largest unit that it is a whole number of: `30 m`, `90 s`."""
    unit = next((unit for unit in "dhm" if seconds and seconds % _SECONDS[unit] == 0), "s")
    return f"{seconds / _SECONDS[unit]:g} {unit}"


def memory_text(size: int) -> str:
    """`4 GiB`, `512 MiB`, `1.5 GiB`."""
    unit = next((unit for unit in "TGMK" if size >= _BYTES[unit]), "")
    return f"{size / _BYTES[unit]:.4g} {unit and f'{unit}i'}B"
