"""Durations and sizes as people write and read them."""

from __future__ import annotations

import pytest

from projrun.cli.quantities import age_text, parse_duration, parse_size, size_text
from projrun.errors import RequestError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 30 * 86400),
        ("12h", 43200),
        ("1.5h", 5400),
        ("2w", 14 * 86400),
        ("5M", 300),
        (" 10 s ", 10),
        ("0d", 0),
        ("1d12h30m", 131400),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text, "--older-than") == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "30 days", "1d12", "nan d", "nan5d", "1e3s", "٣d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(RequestError, match=f"--older-than: {text!r} is not a duration"):
        parse_duration(text, "--older-than")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20GB", 20 * 10**9),
        ("500mb", 500 * 10**6),
        ("1.5GiB", 3 * 2**29),
        ("1k", 1000),
        ("1Ki", 1024),
        ("0", 0),
        ("12 B", 12),
        ("2 TB", 2 * 10**12),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text, "--max-size") == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "20 gigabytes", "1iB", "1,5GB", "inf"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(RequestError, match=f"--max-size: {text!r} is not a size"):
        parse_size(text, "--max-size")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (532_100, "532 kB"),
        (999_600, "1 MB"),
        (1_440_000_000, "1.4 GB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min"),
        (3600, "1 h"),
        (86399, "23 h"),
        (86400 * 12.9, "12 d"),
    ],
)
def test_ages_for_people(seconds: float, text: str) -> None:
    assert age_text(seconds) == text
