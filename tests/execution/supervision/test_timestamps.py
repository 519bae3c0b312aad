"""The time at the beginning of each line, however the output is cut into chunks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.execution.supervision.timestamps import Timestamps

STAMP = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ ")


def stamped(output: bytes, size: int = 1000) -> bytes:
    stamps = Timestamps()
    return b"".join(stamps.feed(output[start : start + size]) for start in range(0, len(output), size))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"one\ntwo\n", b"@one\n@two\n"),
        (b"one\r\n\r\ntwo", b"@one\r\n@\r\n@two"),
        (b"\n\n", b"@\n@\n"),
        (b"10%\r20%\rdone\n", b"@10%\r@20%\r@done\n"),
        (b"\x1b[31mred\x1b[0m\n", b"@\x1b[31mred\x1b[0m\n"),
        (b"a\nb\r\x1b[2K\x1b[1A\x1b[2Kc\n", b"@a\n@b\r\x1b[2K\x1b[1A\x1b[2K@c\n"),
    ],
)
def test_each_line_begins_with_its_time(output: bytes, expected: bytes) -> None:
    assert STAMP.sub(b"@", stamped(output)) == expected


@given(st.text(alphabet="ab\r\n").map(str.encode), st.integers(1, 5))
def test_chunks_change_nothing_and_nothing_is_lost(output: bytes, size: int) -> None:
    marked = STAMP.sub(b"@", stamped(output, size))
    assert marked == STAMP.sub(b"@", stamped(output))
    assert marked.replace(b"@", b"") == output.removesuffix(b"\r")
