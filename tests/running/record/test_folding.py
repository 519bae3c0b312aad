"""Bars in the log: folded to what a terminal shows in the end, however the output is cut into chunks."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projrun.running.record.folding import LARGEST, ROWS, folded

TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|(.)", re.DOTALL)
MOVES = re.compile(r"[\r\x08]|\x1b\[[0-9;]*[A-GJK]")
PRINTED = ["a", "bc", "é", " ", "   ", "\n", "\n", "\r", "\r", "\x08", "\r\n"]
COLORS = ["\x1b[31m", "\x1b[1m", "\x1b[0m", "\x1b[m"]
MOVED = [f"\x1b[{count}{kind}" for kind in "ABCDEFGK" for count in ("", "0", "1", "2", "3")]
OUTPUT = st.lists(st.sampled_from([*PRINTED, *COLORS, *MOVED, "\x1b[J"]), max_size=40).map("".join)

Screen = list[list[tuple[str, str]]]


def screen(text: str) -> Screen:
    """The reference: a terminal that has room for everything, one character at a time."""
    lines: Screen = [[]]
    row = column = 0
    colors = ""
    for number, kind, character in TOKEN.findall(text):
        count = int(number or 0)
        steps = max(count, 1)
        if character == "\n":
            row, column = row + 1, 0
            lines += [[]] * 0 if row < len(lines) else [[]]
        elif character == "\r":
            column = 0
        elif character == "\x08" or kind == "D":
            column = max(column - steps, 0)
        elif character:
            lines[row] += [("", " ")] * (column - len(lines[row]))
            lines[row][column : column + 1] = [(colors, character)]
            column += 1
        elif kind in "AF":
            row = max(row - steps, 0)
        elif kind in "BE":
            row = min(row + steps, len(lines) - 1)
        elif kind == "m":
            colors = "" if count == 0 else colors + f"\x1b[{number}m"
        elif kind == "J":
            lines[row:] = [lines[row][:column], *([] for _ in lines[row + 1 :])]
        elif kind == "K":
            first, last = {0: (column, None), 1: (0, column + 1), 2: (0, None)}.get(count, (0, 0))
            lines[row][first:last] = [("", " ")] * len(lines[row][first:last])
        if kind and kind in "EF":
            column = 0
        elif kind == "C":
            column += steps
        elif kind == "G":
            column = steps - 1
    return [_without_blanks(line) for line in lines]


def _without_blanks(line: list[tuple[str, str]]) -> list[tuple[str, str]]:
    while line and line[-1] == ("", " "):
        line = line[:-1]
    return line


def fold(text: str, size: int = 10_000) -> str:
    data = text.encode()
    return b"".join(folded(data[start : start + size] for start in range(0, len(data), size))).decode()


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("10%\r20%\r100%\n", "100%\n"),
        ("one\r\ntwo\r\r\n", "one\ntwo\n"),
        ("loading |\b/\b-\bdone\n", "loading done\n"),
        ("long line\rshort\n", "shortline\n"),
        ("long line\r\x1b[Kshort\n", "short\n"),
        ("12%\r", "12%"),
        ("half", "half"),
        ("bar 90%\r        \rdone\n", "done\n"),
        # tqdm's nested bars: position 1 is drawn below and left by moving up
        ("\router 0/2\n\rinner 1/2\x1b[A\n\rinner 2/2\x1b[A\router 1/2\n\n", "outer 1/2\ninner 2/2\n"),
        # rich erases the lines that it draws again
        ("a 1\nb 1\r\x1b[2K\x1b[1A\x1b[2Ka 2\nb 2\n", "a 2\nb 2\n"),
        ("\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m\n"),
        ("\x1b[31m10%\x1b[0m\r\x1b[32m99%\x1b[0m ok\n", "\x1b[32m99%\x1b[0m ok\n"),
        ("50%|███  |\r99%|████▉|\n", "99%|████▉|\n"),
    ],
)
def test_what_a_terminal_shows_at_the_end(printed: str, kept: str) -> None:
    assert fold(printed) == kept


@given(OUTPUT, st.integers(1, 80))
@example("ab\r\x1b[1mc\rde\r\x1b[0mf\r", 80)
@example("a\r\x1b[31mb\n\x1b[A\x1b[K", 1)
def test_the_artifact_looks_as_a_terminal_would(printed: str, size: int) -> None:
    kept = fold(printed, size)
    assert screen(kept) == screen(printed)
    assert not MOVES.search(kept)
    assert fold(kept) == kept


@given(st.text(alphabet="ab \té\x1b[]m01;\x07\n"), st.integers(1, 9))
def test_lines_without_bars_are_untouched(printed: str, size: int) -> None:
    if not MOVES.search(printed):
        assert fold(printed, size) == printed


@given(st.binary(max_size=60), st.integers(1, 5))
def test_bytes_that_are_no_text_are_kept(data: bytes, size: int) -> None:
    plain = data.translate(None, b"\r\x08\x1b")
    assert b"".join(folded(plain[start : start + size] for start in range(0, len(plain), size))) == plain


def test_the_terminal_has_a_height() -> None:
    lines = [f"{number}\n" for number in range(200)]
    kept = fold("".join(lines) + "\x1b[500Atop\r", 7)
    first = 200 - ROWS + 1  # the cursor was on a line of its own, below all
    assert kept.splitlines() == [str(number) if number != first else "top" for number in range(200)]


def endless(piece: bytes, size: int) -> Iterator[bytes]:
    for _ in range(size // len(piece)):
        yield piece


@pytest.mark.parametrize(
    "piece", [b"x" * 65_536, b"x\r" * 500, b"a line\n" * 9000, b"\x1b[9A\x1b[65000C." * 50]
)
def test_memory_is_bounded(piece: bytes) -> None:
    tracemalloc.start()
    try:
        written = sum(map(len, folded(endless(piece, 40 * len(piece)))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    assert written >= (2_000_000 if piece[1:2] == b"x" else 0)


def test_a_line_without_end_is_written_as_it_comes() -> None:
    kept = fold("a" * 3 * LARGEST + "\rb\n")
    assert set(kept) == {"a", "b", "\n"}
    assert 2 * LARGEST < len(kept) <= 3 * LARGEST + 2
