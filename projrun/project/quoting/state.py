"""What the scanner of shell lines keeps about the commands that it is reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from projrun.project.quoting.places import Word


@dataclass
class Command:
    """A simple command that is being read."""

    words: list[Word] = field(default_factory=list)
    strings: list[Word] = field(default_factory=list)
    """The words of its here-strings."""
    assigns: bool = True
    """Only assignments were read so far."""
    feeds: str = ""
    """The shell that reads its output as commands."""


class Awaited(NamedTuple):
    """A here-document whose body begins on the next line."""

    delimiter: str
    strips_tabs: bool
    is_quoted: bool
    command: Command

    def ends_at(self, line: str) -> bool:
        """Whether a line is the delimiter's."""
        return (line.lstrip("\t") if self.strips_tabs else line) == self.delimiter


@dataclass
class Commands:
    """A list of commands that is being read."""

    closing: str
    awaited: list[Awaited]
    is_array: bool = False
    command: Command = field(default_factory=Command)
    cases: list[bool] = field(default_factory=list)
    """The open `case` commands; True where a pattern is read."""
    before: Command | None = None
    """The command whose output the present one reads."""

    @property
    def in_pattern(self) -> bool:
        """Whether the pattern of a `case` is read."""
        return bool(self.cases) and self.cases[-1]

    @property
    def in_case_head(self) -> bool:
        """Whether `case WORD in` is not complete yet: line breaks do not end it."""
        words = self.command.words
        return bool(words) and len(words) < 3 and words[0].is_plain and words[0].raw == "case"
