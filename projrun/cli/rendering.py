"""What people and programs see: errors, tables, JSON. The only place that formats."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
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
    if err and shown.startswith("projrun: "):
        shown = _with_painted_label(shown)
    _write(shown, sys.stderr if err else sys.stdout)


def _without_commands(text: str) -> str:
    """GitHub obeys a line that begins with `::`, also after blanks, and `##[` anywhere: these are only shown."""
    lines = text.replace("##[", "#\\x23[").split("\n")
    return "\n".join(
        line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line for line in lines
    )


def _with_painted_label(line: str) -> str:
    for word, style in (("error", "red"), ("warning", "yellow")):
        label = f"projrun: {word}:"
        if line.startswith(label) and in_colour(sys.stderr):
            return f"{_STYLES[style]}{label}{_PLAIN}{line[len(label) :]}"
    return line


def in_colour(stream: TextIO | None = None) -> bool:
    """Whether stdout, or another stream, shows colours: no-color.org, and the BSD's CLICOLOR_FORCE."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    stream = stream or sys.stdout
    dumb = os.environ.get("TERM") in ("dumb", "unknown") or os.environ.get("CLICOLOR") == "0"
    return stream is not None and stream.isatty() and not dumb


def styled(text: str, style: str) -> str:
    """Text for `print_styled`, in colour where stdout shows that."""
    return f"{_STYLES[style]}{text}{_PLAIN}" if style and in_colour() else text


def print_styled(text: str) -> None:
    """Lines on stdout, which may have what `styled` adds; all else in them must be `visible` already."""
    _write(text, sys.stdout)


_PLAIN = "\x1b[0m"
_STYLES = {
    "bold": "\x1b[1m",
    "red": "\x1b[31m",
    "green": "\x1b[32m",
    "yellow": "\x1b[33m",
    "cyan": "\x1b[36m",
}


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
    """Local time, to the second; empty for None. What is in no calendar stays a number: a server may say anything."""
    if milliseconds is None:
        return ""
    from datetime import datetime

    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (OSError, OverflowError, ValueError):
        return str(milliseconds)


def own_places() -> Directories:
    """The user's own folders, with a warning where others could write there. RequestError for another user's."""
    places = Directories.locate(os.environ)
    for changed in secured(places):
        print_warning(changed)
    return places
