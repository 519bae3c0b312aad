"""What the scanner of shell lines gives: for each placeholder its place, that is how a value is written there."""

from __future__ import annotations

from typing import NamedTuple

PLACEHOLDER = "\0"
"""Stands for one placeholder in a scanned line: no shell line can hold a NUL byte."""

BARE, DOUBLE, AFTER_NAME, SINGLE, ANSI = "bare", "double", "after-name", "single", "ansi"
DOCUMENT, TEXT = "document", "text"
"""`AFTER_NAME`: in double quotes, directly after `$NAME`. `TEXT`: a here-document with a quoted delimiter."""


class Reason(NamedTuple):
    """Why only plain values can go to a place."""

    problem: str
    """Follows the placeholder: `is inside backticks`."""
    hint: str


_VARIABLE = "assign it to a variable first: V={}, then use $V"

BACKTICKS = Reason("is inside backticks", "write $(…) instead of the backticks")
BRACES = Reason("is inside ${…}", _VARIABLE)
ARITHMETIC = Reason("is evaluated as an arithmetic expression", "declare the parameter as int or float")
REGEX = Reason("is part of a regular expression", _VARIABLE)
COMMENT = Reason("is in a comment", "remove it from the comment")
DELIMITER = Reason("is the delimiter of a here-document", "write a fixed word")
AFTER_BACKSLASH = Reason("follows a backslash", "remove the backslash")
AFTER_DOLLAR = Reason("follows a dollar sign", "remove the dollar sign")
AFTER_VARIABLE = Reason("follows the name of a variable", "write ${NAME} in braces")
ANSI_IN_SH = Reason("is inside $'…', which not every sh understands", "use '…', or bash -c")
COMPOSED = Reason(
    "is in a shell line that the outer shell puts together when it runs",
    "put the line in single quotes, so that the inner shell expands variables",
)
PRINTED = Reason("is printed for a shell, which reads it as commands", "use bash -c '…' instead of the pipe")
REDIRECTION = Reason("is the target of `>&`, which bash expands twice", "write > {} 2>&1")
MARKED = Reason("is in a line with ((, where bash changes control characters", "write ( ( for subshells")
APPENDED = Reason("would be appended where the command is not a plain line", "name it in the command")
UNFINISHED = Reason(
    "is in a line whose end is unclear: a quote or bracket may be missing", "close all quotes and brackets"
)
ENDS_DOCUMENT = Reason(
    "would end the here-document, or lose tabs in it", "use a delimiter that no value holds"
)


class Place(NamedTuple):
    """How a value is written at one placeholder."""

    layers: tuple[str, ...] = (BARE,)
    """What surrounds it, the outermost first; more than one inside the line of a `sh -c` or `eval`."""
    reason: Reason | None = None
    """Where no text but a plain one has a safe form."""
    language: str = ""
    """The program that takes the text around the placeholder as code: `python`, `awk`, …"""

    def refused(self, reason: Reason) -> Place:
        """The place with a reason, the first one kept."""
        return self if self.reason else self._replace(reason=reason)


class Document(NamedTuple):
    """A here-document with placeholders: no line of a value may end it."""

    delimiter: str
    strips_tabs: bool
    is_quoted: bool
    body: str
    places: tuple[int, ...]
    """Which placeholders the body holds."""
    level: int = 0
    """How many layers lie outside the line that the document belongs to."""


class Scan(NamedTuple):
    """A scanned line."""

    places: list[Place]
    documents: list[Document]


class Word(NamedTuple):
    """A word of a shell line."""

    text: str | None
    """What the program sees; None where that is known only when it runs."""
    is_plain: bool
    """Without quotes and expansions, as reserved words must be."""
    raw: str
    places: tuple[int, ...]


class UnfinishedError(Exception):
    """The line is not one that a shell would take, or beyond what the scanner understands."""
