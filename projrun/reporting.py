"""How the runner says what it does, to whoever renders it: a terminal, a log, nobody."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Reporter(Protocol):
    """Takes plain text without a newline; never raises."""

    def activity(self, text: str) -> AbstractContextManager[object]:
        """What is going on inside the `with` block; shown where it takes longer than a second."""
        ...

    def progress(self, text: str) -> None:
        """A line of detail on the activity."""
        ...

    def info(self, text: str) -> None:
        """A line that people want to read."""
        ...

    def warning(self, text: str) -> None:
        """Something that is wrong and was survived."""
        ...


class SilentReporter:
    """Says nothing: what the Python API uses unless told otherwise. Warnings go to Python's `warnings`."""

    def activity(self, text: str) -> AbstractContextManager[object]:
        return nullcontext()

    def progress(self, text: str) -> None:
        pass

    def info(self, text: str) -> None:
        pass

    def warning(self, text: str) -> None:
        import sys
        import warnings

        try:
            warnings.warn(text, stacklevel=3)
        except Warning:  # they are errors in this process (`python -W error`), but a run is not ended by one
            print(f"projrun: warning: {text}", file=sys.stderr)  # noqa: T201
