"""How the runner reports what it does: to a terminal, to a log, or not at all."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Reporter(Protocol):
    """Takes plain text without a newline; never raises."""

    def activity(self, text: str) -> AbstractContextManager[object]:
        """What happens inside the `with` block; shown if it takes longer than a second."""
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


class SilentReporter:
    """Says nothing: the Python API's default. Warnings go to Python's `warnings`."""

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
