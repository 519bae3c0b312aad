"""What people and programs see: errors, tables, JSON. The only place that formats."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from projrun.cache.ownership import secured
from projrun.directories import Directories
from projrun.errors import ProjrunError
from projrun.reporting import visible as visible
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO


def one_line(text: str) -> str:
    """The same for what belongs on one line: a newline in a name could forge the next one."""
    return visible(text).replace("\n", "\\n")


def continued(text: str) -> str:
    """A message of several lines: those after the first cannot be taken for messages of their own."""
    return text.replace("\n", "\n  ")


def error_text(error: ProjrunError) -> str:
    """`projrun: error: what is wrong; what to do`, then the detail, indented."""
    line = f"projrun: error: {error.message}"
    if error.hint:
        line += f" {error.hint}" if line.endswith("?") else f"; {error.hint}"
    if error.detail:
        line += "\n" + "\n".join(error.detail.splitlines())
    return continued(line)


def print_text(text: str, *, err: bool = False) -> None:
    """Lines on stdout or stderr, at once and as `visible` has them: all that projrun says passes here."""
    shown = visible(text)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        shown = _without_commands(shown)
    _write(shown, sys.stderr if err else sys.stdout)


def _without_commands(text: str) -> str:
    """GitHub obeys a line that begins with `::`, also after blanks, and `##[` anywhere: these are only shown."""
    lines = text.replace("##[", "#\\x23[").split("\n")
    return "\n".join(
        line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line for line in lines
    )


def print_line(text: str) -> None:
    """Text on stdout as one line, whatever it holds."""
    print_text(one_line(text))


def print_path(path: Path) -> None:
    """A path on stdout: for `$(…)` as it is, since an escaped one names nothing."""
    _write(one_line(str(path)) if on_terminal() else str(path), sys.stdout)


def _write(text: str, stream: TextIO | None) -> None:
    # What click.echo does, without click where the stream is UTF-8.
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
    print_text(continued(f"projrun: warning: {text}"), err=True)


def print_facts(facts: Iterable[tuple[str, str | None]], width: int = 12) -> None:
    """A line for each fact that is known, after its label."""
    for label, text in facts:
        if text:
            print_text(one_line(f"{label:<{width}} {text}"))


def _is_utf8(stream: TextIO) -> bool:
    encoding = getattr(stream, "encoding", None) or ""
    return encoding.lower().replace("-", "") == "utf8"


def print_json(document: Mapping[str, object]) -> None:
    """One object on stdout; in ASCII where stdout is not UTF-8.

    A reader of JSON gets every value as it is; a terminal gets escapes for what it would obey.
    """
    import json  # most commands print none

    stream = _kept[-1] if _kept else sys.stdout
    text = json.dumps(document, indent=2, ensure_ascii=stream is None or not _is_utf8(stream))
    _write("\n".join(line if line.isprintable() else _json_line(line) for line in text.split("\n")), stream)


def _json_line(line: str) -> str:
    import json

    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in line
    )


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
    rows: Sequence[Sequence[str | Sequence[str]]],
    *,
    wrapping: Sequence[str] = (),
    leaving_out: Sequence[str] = (),
) -> None:
    """A table on stdout: plain lines off a terminal. A cell is one line, or several on a terminal.

    On a terminal that is too narrow, those of `leaving_out` are left out, the first ones first; then the
    columns in `wrapping` are folded.
    """
    separator = "\n" if on_terminal() else " "
    columns = [one_line(column) for column in columns]
    texts = [[_cell(cell, separator) for cell in row] for row in rows]
    if not on_terminal():
        print_text(_aligned([columns, *texts]))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    left_out = _left_out(columns, texts, wrapping, leaving_out, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        if column not in left_out:
            table.add_column(column, overflow="fold", no_wrap=column not in wrapping)
    for row in texts:
        table.add_row(
            *(Text(cell) for column, cell in zip(columns, row, strict=True) if column not in left_out)
        )
    console.print(table)
    if left_out:
        print_text(f"not shown, for lack of space: {', '.join(left_out).lower()}", err=True)


def _cell(content: str | Sequence[str], separator: str) -> str:
    return one_line(content) if isinstance(content, str) else separator.join(map(one_line, content))


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


def own_places() -> Directories:
    """The user's own folders, with a warning where others could write there. RequestError for another user's."""
    places = Directories.locate(os.environ)
    for changed in secured(places):
        print_warning(changed)
    return places
