"""What people and programs see: errors, tables, JSON. The only place that formats."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TextIO

from projrun.errors import ProjrunError


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
    stream = sys.stderr if err else sys.stdout
    if stream is None:
        return
    if _is_utf8(stream):
        stream.write(f"{text}\n")
        stream.flush()
        return
    import click  # which knows what to do with other encodings

    click.echo(text, err=err)


def _is_utf8(stream: TextIO) -> bool:
    encoding = getattr(stream, "encoding", None) or ""
    return encoding.lower().replace("-", "") == "utf8"


def print_json(document: Mapping[str, object]) -> None:
    """One object on stdout, in ASCII where stdout is not UTF-8."""
    import json  # most commands print none

    print_text(json.dumps(document, indent=2, ensure_ascii=not _is_utf8(sys.stdout)))


def silence_stdout() -> None:
    """Its reader has gone: discard what Python still buffers for it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, wrapping: Sequence[str] = ()
) -> None:
    """A table on stdout: on a terminal the columns in `wrapping` are folded to its width; off one, plain lines."""
    rows = [[visible(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        print_text(_aligned([columns, *rows]))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in wrapping)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


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
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
