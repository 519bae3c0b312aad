"""The log as an artifact: what a terminal shows in the end, where progress bars were drawn over and over.

`10%\\r20%\\r100%\\n` becomes `100%\\n`, and `\\r\\n` one newline. Known is what common bars print: carriage returns,
backspaces, and the sequences that move the cursor (CSI A to G), erase (CSI J, K) and set colors (CSI m). Lines without
any of it stay as they are, byte for byte.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

ROWS = 50
"""The height of the terminal: how far up the cursor can go."""
LARGEST = 65_536
"""Characters on the terminal. A line that is longer is written as it comes, and what was written is not drawn over."""
_WIDEST = 4096
"""How far to the right the cursor can jump."""
_LONGEST_COLORS = 256
_LONGEST_MOVE = 34
_MOVE = re.compile(r"(\r|\x08|\x1b\[[0-9;?]*[A-GJK])")
_UNFINISHED = re.compile(r"(?:\r|\x1b(?:\[[0-9;?]*)?)\Z")
_RESETS = ("\x1b[m", "\x1b[0m")
_COLOR = re.compile(r"\x1b\[[0-9;:]*m")
_IN_CELLS = re.compile(r"(\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b)")


def folded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A log as it comes, folded. Bytes that are not UTF-8 stay what they are."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    fold = Fold()
    for chunk in chunks:
        yield fold.feed(decoder.decode(chunk)).encode("utf-8", "surrogateescape")
    rest = fold.feed(decoder.decode(b"", final=True)) + fold.close()
    yield rest.encode("utf-8", "surrogateescape")


class _Line:
    """A text, for as long as it is only added to; else its cells, each a character after the colors set there."""

    __slots__ = ("cells", "colors", "text")

    def __init__(self, colors: str) -> None:
        self.colors = colors
        """Those that are set where the text begins."""
        self.text = ""
        self.cells: list[str] | None = None

    @property
    def size(self) -> int:
        """How much it holds."""
        return len(self.text if self.cells is None else self.cells)

    def opened(self) -> list[str]:
        """The cells."""
        if self.cells is None:
            self.cells, _ = _cells(self.text, self.colors)
        return self.cells

    def shown(self, colors: str) -> tuple[str, str]:
        """What to write where these colors are set, and those that are set then."""
        if self.cells is None:
            return _change(colors, self.colors) + self.text, _after(self.colors, self.text)
        while self.cells and self.cells[-1] == " ":
            self.cells.pop()
        parts = []
        for cell in self.cells:
            parts.append(_change(colors, cell[:-1]) + cell[-1])
            colors = cell[:-1]
        return "".join(parts), colors


class Fold:
    """A terminal without an edge on the right; what leaves it at the top is final."""

    def __init__(self) -> None:
        self._lines = [_Line("")]
        self._row = 0
        self._column = 0
        """Counts only in cells: in a text the cursor is at the end."""
        self._colors = ""
        """The sequences since the last that reset them."""
        self._held = ""
        self._out: list[str] = []
        self._written = ""
        """The colors that are set where the output ends."""

    def feed(self, text: str) -> str:
        """What is final after `text`."""
        text = self._held + text
        unfinished = _UNFINISHED.search(text, max(len(text) - _LONGEST_MOVE, 0))
        self._held = unfinished.group() if unfinished else ""
        self._obey(text[: len(text) - len(self._held)])
        self._let_go()
        return self._taken()

    def close(self) -> str:
        """The rest."""
        self._obey(self._held)
        self._write(len(self._lines), end="")
        return self._taken() + _change(self._written, self._colors)

    def _taken(self) -> str:
        out, self._out = "".join(self._out), []
        return out

    def _let_go(self) -> None:
        """Write what is too much to be kept."""
        count = max(len(self._lines) - ROWS, 0)
        sizes = [line.size for line in self._lines]
        while count < len(sizes) and sum(sizes[count:]) > LARGEST:
            count += 1
        if count < len(sizes):
            self._write(count)
        else:
            self._write(count, end="")
            self._lines, self._row, self._column = [_Line(self._colors)], 0, 0

    def _write(self, count: int, end: str = "\n") -> None:
        """Write the first lines, and forget them."""
        for line in self._lines[:count]:
            text, self._written = line.shown(self._written)
            self._out += text, "\n"
        if count:
            self._out[-1] = end
            del self._lines[:count]
            self._row = max(self._row - count, 0)

    def _obey(self, text: str) -> None:
        for number, part in enumerate(_MOVE.split(_without_overdrawn(text.replace("\r\n", "\n")))):
            if number % 2:
                self._move(part)
            elif part:
                self._print(part)

    def _print(self, text: str) -> None:
        """Text with newlines and colors."""
        while self._row < len(self._lines) - 1 or self._lines[-1].cells is not None:
            line, newline, text = text.partition("\n")
            self._overwrite(line)
            if not newline:
                return
            self._next_line()
        self._append(text)

    def _append(self, text: str) -> None:
        """At the end of everything."""
        first, *others = text.rsplit("\n", ROWS)
        self._lines[-1].text += first
        self._colors = _after(self._colors, first)
        for other in others:
            self._lines.append(_Line(self._colors))
            self._lines[-1].text = other
            self._colors = _after(self._colors, other)
        self._row = len(self._lines) - 1

    def _overwrite(self, text: str) -> None:
        cells, self._colors = _cells(text, self._colors)
        line = self._lines[self._row].opened()
        line += " " * (self._column - len(line))
        line[self._column : self._column + len(cells)] = cells
        self._column += len(cells)

    def _next_line(self) -> None:
        self._row += 1
        self._column = 0
        if self._row == len(self._lines):
            self._lines.append(_Line(self._colors))

    def _move(self, move: str) -> None:
        line = self._lines[self._row]
        if line.cells is None:
            self._column = len(line.opened())
        count = _count(move)
        kind = move[-1]
        if kind in "AF":
            self._row = max(self._row - max(count, 1), 0, len(self._lines) - ROWS)
        elif kind in "BE":
            self._row = min(self._row + max(count, 1), len(self._lines) - 1)
        elif kind in "JK":
            self._erase(kind, count)
        self._column = self._column_after(kind, count)
        self._lines[self._row].opened()

    def _column_after(self, kind: str, count: int) -> int:
        if kind in "\rEF":
            return 0
        if kind in "\x08D":
            return max(self._column - max(count, 1), 0)
        if kind == "C":
            return min(self._column + max(count, 1), _WIDEST)
        return min(max(count, 1), _WIDEST) - 1 if kind == "G" else self._column

    def _erase(self, kind: str, what: int) -> None:
        """From the cursor on (0), up to it (1), or the whole line (2); a whole screen (CSI 1J, 2J, 3J) stays."""
        cells = self._lines[self._row].opened()
        if kind == "J":
            if what == 0:
                del cells[self._column :]
                for line in self._lines[self._row + 1 :]:
                    line.cells = []
        elif what == 0:
            del cells[self._column :]
        elif what == 1:
            cells[: self._column + 1] = " " * min(self._column + 1, len(cells))
        elif what == 2:
            cells.clear()


def _without_overdrawn(text: str) -> str:
    """The same without what is drawn over at once: of a bar's thousand states in a chunk, only the last is of use."""
    *parts, last = text.split("\r")
    if not parts:
        return text
    kept = [last]  # backwards
    covered, settled = _covered(last), False
    for part in reversed(parts[1:]):
        if not 0 <= _width(part) <= covered:
            kept += "\r", part
            covered, settled = _covered(part), False
        elif "\x1b" in part and not settled:  # the colors that it sets, back to the last reset
            kept += reversed(_COLOR.findall(part))
            settled = any(reset in part for reset in _RESETS)
    return "".join([parts[0], "\r", *reversed(kept)])


def _covered(part: str) -> int:
    """The columns that a text draws over for certain, from the first one on."""
    return max(_width(part.partition("\n")[0]), 0)


def _width(part: str) -> int:
    """The columns of a text; -1 where it moves the cursor."""
    if "\n" in part or "\x08" in part:
        return -1
    if "\x1b" not in part:
        return len(part)
    colors = _COLOR.findall(part)
    return len(part) - len("".join(colors)) if part.count("\x1b") == len(colors) else -1


def _count(move: str) -> int:
    """The first number of a sequence; 0 where there is none."""
    digits = move[2:-1].partition(";")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 9 else 0


def _cells(text: str, colors: str) -> tuple[list[str], str]:
    """The cells of a text that begins with these colors, and the colors at its end; other sequences are left out."""
    if "\x1b" not in text:
        return [colors + character for character in text] if colors else list(text), colors
    cells: list[str] = []
    for number, part in enumerate(_IN_CELLS.split(text)):
        if number % 2:
            colors = _after(colors, part)
        else:
            cells += [colors + character for character in part] if colors else part
    return cells, colors


def _after(colors: str, text: str) -> str:
    """The colors that are set after a text."""
    if "\x1b" not in text:
        return colors
    reset = max(map(text.rfind, _RESETS))
    for color in _COLOR.findall(text, max(reset, 0)):
        if color in _RESETS:
            colors = ""
        elif len(colors) < _LONGEST_COLORS and not color.startswith("\x1b[0;"):
            colors += color
        else:
            colors = color
    return colors


def _change(old: str, new: str) -> str:
    """What turns the colors that are set into others."""
    if old == new:
        return ""
    return new[len(old) :] if new.startswith(old) else f"\x1b[0m{new}"
