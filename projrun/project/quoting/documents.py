"""Here-documents: where the body of one ends, and whether values would change that."""

from __future__ import annotations

from collections.abc import Sequence

from projrun.project.quoting.places import PLACEHOLDER, Document
from projrun.project.quoting.state import Awaited, Command


def document_end(text: str, begin: int, awaited: Awaited) -> tuple[int, int]:
    """Where the line of the delimiter begins, and where the text after it does; both its end where there is none."""
    at = begin
    while at < len(text):
        line_begin = at
        line, at = _line(text, at, joins=not awaited.is_quoted)
        if awaited.ends_at(line):
            return line_begin, min(at, len(text))
    return len(text), len(text)


def is_broken(document: Document, texts: Sequence[str]) -> bool:
    """Whether the written values give a here-document another end, or tabs that `<<-` removes."""
    if document.strips_tabs and any(text.startswith("\t") or "\n\t" in text for text in texts):
        return True
    literals = document.body.split(PLACEHOLDER)
    body = "".join(part for pair in zip(literals, [*texts, ""], strict=True) for part in pair)
    awaited = Awaited(document.delimiter, document.strips_tabs, document.is_quoted, Command())
    return document_end(body, 0, awaited)[0] < len(body)


def _line(text: str, begin: int, *, joins: bool) -> tuple[str, int]:
    """A line, with those that a backslash joins to it, and where the next one begins."""
    line, at = "", begin
    while True:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line, at = line + text[at:end], end + 1
        if not joins or at > len(text) or not _continues(line):
            return line, at
        line = line[:-1]


def _continues(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1
