"""What people and programs see: errors, tables, JSON. The only place that formats."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from projrun.errors import ProjrunError
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def visible(text: str) -> str:
    """The text with escapes for what a terminal would obey or a person would not see: a project's author or a
    server wrote it, and `\\r` or an ANSI sequence could hide a command from the reader of the plan.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in "\n\t" else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return character if character.isspace() and ord(character) >= 0xA0 else ascii(character)[1:-1]


def error_text(error: ProjrunError) -> str:
    """`projrun: error: what is wrong; what to do`, then the detail, indented."""
    line = f"projrun: error: {error.message}"
    if error.hint:
        line += f" {error.hint}" if line.endswith("?") else f"; {error.hint}"
    if error.detail:
        line += "".join(f"\n  {extra}" for extra in error.detail.splitlines())
    return visible(line)


def print_text(text: str, *, err: bool = False) -> None:
    """A line on stdout or stderr, at once: what click.echo does, without click where stdout is UTF-8."""
    _write(text, sys.stderr if err else sys.stdout)


def _write(text: str, stream: TextIO | None) -> None:
    if stream is None:
        return
    if _is_utf8(stream):
        stream.write(f"{text}\n")
        stream.flush()
        return
    import click  # which knows what to do with other encodings

    click.echo(text, stream)


def print_warning(text: str) -> None:
    """A line on stderr."""
    print_text(visible(f"projrun: warning: {text}"), err=True)


def print_facts(facts: Iterable[tuple[str, str | None]], width: int = 12) -> None:
    """A line for each fact that is known, after its label."""
    for label, text in facts:
        if text:
            print_text(visible(f"{label:<{width}} {text}"))


def _is_utf8(stream: TextIO) -> bool:
    encoding = getattr(stream, "encoding", None) or ""
    return encoding.lower().replace("-", "") == "utf8"


def print_json(document: Mapping[str, object]) -> None:
    """One object on stdout, in ASCII where stdout is not UTF-8."""
    import json  # most commands print none

    stream = _kept[-1] if _kept else sys.stdout
    _write(json.dumps(document, indent=2, ensure_ascii=stream is None or not _is_utf8(stream)), stream)


_kept: list[TextIO | None] = []
"""The real stdout, while it is kept for JSON."""


@contextmanager
def stdout_kept_for_json() -> Iterator[None]:
    """Inside, only `print_json` writes to stdout: what else prints, a plug-in for example, does so to stderr."""
    _kept.append(sys.stdout)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = _kept.pop()  # None where it is closed


def on_terminal() -> bool:
    """Whether stdout is a terminal; closed (`>&-`), it is none."""
    return sys.stdout is not None and sys.stdout.isatty()


def silence_stdout() -> None:
    """Its reader has gone: discard what Python still buffers for it."""
    stream = _kept[-1] if _kept else sys.stdout
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    wrapping: Sequence[str] = (),
    leaving_out: Sequence[str] = (),
) -> None:
    """A table on stdout: plain lines off a terminal.

    On a terminal that is too narrow, those of `leaving_out` are left out, the first ones first; then the
    columns in `wrapping` are folded.
    """
    rows = [[visible(cell) for cell in row] for row in rows]
    if not on_terminal():
        print_text(_aligned([columns, *rows]))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    left_out = _left_out(columns, rows, wrapping, leaving_out, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        if column not in left_out:
            table.add_column(column, overflow="fold", no_wrap=column not in wrapping)
    for row in rows:
        table.add_row(
            *(Text(cell) for column, cell in zip(columns, row, strict=True) if column not in left_out)
        )
    console.print(table)
    if left_out:
        print_text(f"not shown, for lack of space: {', '.join(left_out).lower()}", err=True)


def has_room(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, wrapping: Sequence[str], folded: int
) -> bool:
    """Whether a table fits on the terminal with `wrapping` folded to that width; True off a terminal."""
    if not on_terminal():
        return True
    from rich.console import Console

    return sum(_widths(columns, rows, wrapping, folded)) - _GAP <= Console().width


_GAP = 2
"""Between two columns."""
_FOLDED_WIDTH = 24
"""What a column that may be folded gets at least, where its text is that long."""


def _left_out(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    wrapping: Sequence[str],
    leaving_out: Sequence[str],
    width: int,
) -> Sequence[str]:
    """As many of `leaving_out` as it takes for the others to fit into `width`."""
    needed = dict(zip(columns, _widths(columns, rows, wrapping, _FOLDED_WIDTH), strict=True))
    for count in range(len(leaving_out)):
        if sum(needed.values()) - _GAP <= width:
            return leaving_out[:count]
        del needed[leaving_out[count]]
    return leaving_out


def _widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], wrapping: Sequence[str], folded: int
) -> list[int]:
    """What each column needs, with the gap to the next."""
    from rich.cells import cell_len

    longest = [
        max(cell_len(line) for cell in cells for line in cell.split("\n"))
        for cells in zip(columns, *rows, strict=True)
    ]
    return [
        _GAP + (min(width, folded) if column in wrapping else width)
        for column, width in zip(columns, longest, strict=True)
    ]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def duration_text(milliseconds: int | None) -> str:
    """`0.8 s`, `3 min 20 s`, `2 h 5 min`; empty for None."""
    if milliseconds is None:
        return ""
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def time_text(milliseconds: int | None) -> str:
    """Local time, to the second; empty for None."""
    if milliseconds is None:
        return ""
    from datetime import datetime

    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
