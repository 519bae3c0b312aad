"""Quantities as people write them."""

from __future__ import annotations

import pytest

from projrun.settings.quantities import count, duration, duration_text, memory, memory_text, processors


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0), ("90s", 90.0), ("30m", 1800.0), ("1.5h", 5400.0), ("2 d", 172800.0), ("1W", 604800.0), ("0", 0.0),
        ("", None), ("-1", None), ("1e3", None), ("inf", None), ("5x", None), ("9" * 5000, None), ("99999d", None),
        ("\u0663", None),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512m", 512 * 2**20), ("4G", 4 * 2**30), ("4GiB", 4 * 2**30), ("4gb", 4 * 2**30), ("1.5GiB", 1610612736),
        ("1000", 1000), ("1000b", 1000), ("2k", 2048), ("1T", 2**40),
        ("", None), ("G", None), ("4iB", None), ("4bb", None), ("-4G", None), ("9" * 19 + "T", None), ("4E", None),
    ],
)  # fmt: skip
def test_sizes_count_as_docker_does(text: str, size: int | None) -> None:
    assert memory(text) == size


def test_numbers() -> None:
    assert [count(text, 10) for text in ("0", "10", "11", "1.0", "-1", "", "9" * 5000)] == [
        0, 10, None, None, None, None, None,
    ]  # fmt: skip
    assert [processors(text) for text in ("2.5", "1", "x", "-1", "inf", "9" * 5000)] == [
        2.5, 1.0, None, None, None, None,
    ]  # fmt: skip


def test_they_are_shown_in_the_largest_unit_that_fits() -> None:
    assert [duration_text(one) for one in (0, 0.3, 90, 1800, 5400, 7200, 86400)] == [
        "0 s", "0.3 s", "90 s", "30 m", "90 m", "2 h", "1 d",
    ]  # fmt: skip
    assert [memory_text(one) for one in (512 * 2**20, 2**32, 1610612736, 1000)] == [
        "512 MiB", "4 GiB", "1.5 GiB", "1000 B",
    ]  # fmt: skip
