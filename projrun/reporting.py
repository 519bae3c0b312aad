"""How the runner reports what it does: to a terminal, to a log, or not at all."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from projrun.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

Meter = Callable[[str, float], None]
"""Takes what an activity is at, in a few words, and how much of that is done: a share between 0 and 1."""
Activity = Callable[[str], AbstractContextManager[Meter | None]]
"""`Reporter.activity`."""


def unseen(text: str) -> AbstractContextManager[None]:
    """An activity that is not shown."""
    return nullcontext()


class Reporter(Protocol):
    """Takes plain text without a newline; never raises."""

    def activity(self, text: str) -> AbstractContextManager[Meter | None]:
        """What happens inside the `with` block; shown if it takes longer than a second.

        Gives a meter where someone sees it move, or None.
        """
        ...

    def section(self, title: str, log: Path | None = None) -> AbstractContextManager[None]:
        """What is printed inside the `with` block belongs together, for whoever folds it.

        It is the command's output where `log` is the file that keeps it.
        """
        ...

    def progress(self, text: str) -> None:
        """A line of detail on the activity."""
        ...

    def info(self, text: str) -> None:
        """A line that people want to read."""
        ...

    def warning(self, text: str) -> None:
        """A problem that did not end the run."""
        ...


def visible(text: str) -> str:
    """The text with escapes for what a terminal would obey or a person would not see: a project's author or a
    server wrote it, and `\\r` or an ANSI sequence could hide a command from the reader of the plan.

    Those are control characters (C0 but newline and tab, DEL, C1), format characters (those that change the direction
    of writing among them), lone surrogates, and the separators of lines and paragraphs.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in "\n\t" else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    is_blank = character.isspace() and ord(character) >= 0xA0 and character not in "\u2028\u2029"
    return character if is_blank else ascii(character)[1:-1]


class SilentReporter:
    """Says nothing: the Python API's default. Warnings go to Python's `warnings`."""

    def activity(self, text: str) -> AbstractContextManager[Meter | None]:
        return unseen(text)

    def section(self, title: str, log: Path | None = None) -> AbstractContextManager[None]:
        return unseen(title)

    def progress(self, text: str) -> None:
        pass

    def info(self, text: str) -> None:
        pass

    def warning(self, text: str) -> None:
        text = visible(text)
        try:
            warnings.warn(text, stacklevel=3)
        except Warning:  # they are errors in this process (`python -W error`), but a run is not ended by one
            print(f"projrun: warning: {text}", file=sys.stderr)  # noqa: T201
