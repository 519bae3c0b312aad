"""The output of an active run, read from its lease while the run goes on and when its runner has taken that away."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from projrun.cache.lease import Mark, parse_mark
from projrun.cache.lost_leases import open_mark
from projrun.running.record.active import ActiveRun

PAUSE = 0.1
_PIECE = 65536
_LAST_WORDS = 2.0
"""Seconds that the runner of a detached run gets to say how its run ended, after it has released the lease."""


class Watched:
    """An active run whose files stay readable until this is closed."""

    def __init__(self, run: ActiveRun) -> None:
        self.run = run
        self._mark: IO[str] | None = None
        with suppress(OSError):  # it has ended just now
            self._mark = open_mark(run.folder)

    @property
    def mark(self) -> Mark:
        """What its lease says now, or said last: with its status, once the run has ended and its runner lived."""
        if self._mark is None:
            return self.run.mark
        self._mark.seek(0)
        return parse_mark(self._mark.read()) or self.run.mark  # it is being written

    def close(self) -> None:
        """Let go of its files."""
        if self._mark is not None:
            self._mark.close()


class Followed(Watched):
    """One whose output is printed: the command's on stdout, what the runner of a detached run says on stderr."""

    def __init__(self, run: ActiveRun) -> None:
        super().__init__(run)
        self.output = _Tail(run.output)
        self.messages = _Tail(run.messages)

    def print_so_far(self) -> bool:
        """Print what is new; False where nothing is."""
        messages = self.messages.copy(_write_err)
        return self.output.copy(_write_out) or messages

    def print_to_the_end(self) -> None:
        """Print what is there, then what comes, until the run has ended."""
        while True:
            lives = self.run.lives  # first: what was written until its end is printed then
            if not self.print_so_far():
                if not lives:
                    break
                time.sleep(PAUSE)
        if self.messages.exists:
            self._print_last_words()

    def _print_last_words(self) -> None:
        deadline = time.monotonic() + _LAST_WORDS
        while _is_running(self.run.mark.pid) and time.monotonic() < deadline:
            time.sleep(PAUSE / 4)
        self.print_so_far()

    def close(self) -> None:
        super().close()
        self.output.close()
        self.messages.close()


class _Tail:
    """A file that may not be there yet, may be removed later, and replaced by one of the next attempt."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self.exists = False
        """Whether it was ever there."""

    def copy(self, write: Callable[[bytes], None]) -> bool:
        """Write what is new; False where nothing is."""
        moved = False
        while self._open() is not None:
            while self._file is not None and (piece := self._file.read(_PIECE)):
                write(piece)
                moved = True
            if not self._is_replaced():
                break
            self.close()
        return moved

    def _open(self) -> IO[bytes] | None:
        if self._file is None:
            with suppress(OSError):
                self._file = self._path.open("rb")
                self.exists = True
        return self._file

    def _is_replaced(self) -> bool:
        try:
            return self._file is None or not os.path.samestat(
                os.fstat(self._file.fileno()), self._path.stat()
            )
        except OSError:  # it was taken away
            return False

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _write_out(piece: bytes) -> None:
    if sys.stdout is not None:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


def _write_err(piece: bytes) -> None:
    if sys.stderr is not None:
        sys.stderr.buffer.write(piece)
        sys.stderr.buffer.flush()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's: the id was given to a new process
        return False
    return True
