"""What a person sees while projrun works: plain lines, and on a terminal a spinner after a second."""

from __future__ import annotations

import _thread
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from time import monotonic

from projrun.cli.rendering import continued, print_text, visible
from projrun.reporting import Meter, unseen
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Group
    from rich.status import Status
    from rich.text import Text

    from projrun.errors import ProjrunError
    from projrun.running.plan import Plan
    from projrun.running.runner import Result

_PATIENCE = 1.0
_BAR_WIDTH = 14


class CommandLineReporter:
    """Everything goes to stderr: stdout belongs to the project, or to `--json`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._status: Status | None = None
        self._lock = _thread.allocate_lock()
        self._told = False
        """Whether a line of detail already says what is going on."""
        self._busy = False
        self._began = 0.0

    @property
    def _terminal(self) -> bool:
        """Asked again: a detached run lets go of it."""
        return sys.stderr is not None and sys.stderr.isatty()

    def activity(self, text: str) -> AbstractContextManager[Meter | None]:
        """Shown once it has taken a second; with a bar where its meter is moved."""
        return self._activity(text)

    @contextmanager
    def _activity(self, text: str) -> Iterator[Meter | None]:
        over = _thread.allocate_lock()
        over.acquire()
        self._told = False
        self._busy = True
        self._began = monotonic()
        if not self._quiet:  # a `Timer` is waited for until it runs: 0.2 ms for each of a run's activities
            _thread.start_new_thread(self._show_late, (text, over))
        try:
            yield partial(self._measure, text) if self._terminal and not self._quiet else None
        finally:
            over.release()
            self._hide()

    def _measure(self, activity: str, text: str, share: float) -> None:
        with self._lock:
            if self._status is not None:
                self._status.update(_bar(activity, text, share))

    def progress(self, text: str) -> None:
        """A detail: the spinner's text on a terminal, a line off one."""
        with self._lock:
            if self._status is not None:
                self._status.update(_Timed(text, self._began))
                return
        self._told = True
        self.info(text)

    def info(self, text: str) -> None:
        """A line, unless `--quiet`."""
        if not self._quiet:
            self._print(continued(f"projrun: {text}"))

    def warning(self, text: str) -> None:
        """A line, also with `--quiet`."""
        self._print(continued(f"projrun: warning: {text}"))

    def section(self, title: str, log: Path | None = None) -> AbstractContextManager[None]:
        """Not marked: the lines say what they are."""
        return unseen(title)

    def ended(self, plan: Plan, result: Result, results: str) -> None:
        """The run has ended, which was said; `results` says where its results are."""

    def failed(self, error: ProjrunError) -> None:
        """An error ends the command, and is said next."""

    def tell(self, notes: Iterable[str], warnings: Iterable[str]) -> None:
        """What a plan says."""
        for note in notes:
            self.info(note)
        for warning in warnings:
            self.warning(warning)

    def _print(self, line: str) -> None:
        with self._lock, suppress(OSError):  # its reader, or the terminal, has gone: the run goes on
            if self._status is not None:
                self._status.console.print(visible(line), markup=False, highlight=False)
            else:
                print_text(line, err=True)

    def _show_late(self, text: str, over: _thread.LockType) -> None:
        if not over.acquire(timeout=_PATIENCE):
            self._show(text)

    def _show(self, text: str) -> None:
        if not self._terminal:
            if not self._told:
                self.info(f"{text} …")
            return
        from rich.console import Console

        with self._lock, suppress(OSError):
            if self._busy:  # else it ended just now
                self._status = Console(stderr=True).status(_Timed(text, self._began))
                self._status.start()

    def _hide(self) -> None:
        with self._lock, suppress(OSError):
            self._busy = False
            status, self._status = self._status, None
            if status is not None:
                status.stop()


class _Timed:
    """What happens now, and for how long the whole of it has been going on: looked at whenever it is drawn."""

    def __init__(self, text: str, began: float) -> None:
        self._text = text
        self._began = began

    def __rich__(self) -> Text:
        minutes, seconds = divmod(int(monotonic() - self._began), 60)
        elapsed = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        text = _plain(f"{self._text} ({elapsed})")
        text.no_wrap, text.overflow = True, "ellipsis"
        return text


def _bar(activity: str, text: str, share: float) -> Group:
    """What happens; below it a bar, the percentage, and what is counted."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(min_width=_BAR_WIDTH)
    line.add_column(justify="right", min_width=4, no_wrap=True)
    line.add_column(no_wrap=True, overflow="ellipsis")
    share = min(max(share, 0.0), 1.0)
    line.add_row(ProgressBar(total=1.0, completed=share, width=_BAR_WIDTH), f"{share:.0%}", _plain(text))
    title = _plain(activity)
    title.no_wrap, title.overflow = True, "ellipsis"
    return Group(title, line)


def _plain(text: str) -> Text:
    """For the spinner, which would read a plain `str` as markup."""
    import click
    from rich.text import Text

    return Text(visible(click.unstyle(text))[:200])
