"""The runner's own terminal, as a keyboard: what is typed there goes to the job's terminal, byte for byte."""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from projrun.execution.supervision.group import group_members
from projrun.execution.supervision.signals import held_back

_CLEARED = {
    0: ("BRKINT", "ICRNL", "IGNCR", "INLCR", "INPCK", "ISTRIP", "IXON", "PARMRK"),
    1: ("OPOST",),
    3: ("ECHO", "ECHONL", "ICANON", "IEXTEN", "ISIG"),
}
"""The flags that raw mode clears, by their place in what `tcgetattr` returns; in small letters, stty(1) knows them."""
_CHARACTERS = 6
_CHUNK = 1024


class Keyboard:
    """Taken while the runner is in the foreground: raw, so that the job's terminal does all of the work.

    Only then is it read, or its state touched: in the background either would stop the runner (TTIN, TTOU).
    """

    def __init__(self, descriptor: int, path: str, *, shared: bool) -> None:
        """`shared`: other programs of the same pipeline may read the terminal; it is theirs as long as they run."""
        self.descriptor = descriptor
        self._path = path
        self._shared = shared
        self._saved: list[Any] | None = None
        self._gone = False
        self._note: Callable[[str], None] = lambda text: None

    @property
    def taken(self) -> bool:
        """Whether what is typed is for the job."""
        return self._saved is not None

    @property
    def gone(self) -> bool:
        """Whether it will not be taken any more."""
        return self._gone

    @property
    def in_foreground(self) -> bool:
        """Whether the runner's process group may use its terminal."""
        try:
            return os.tcgetpgrp(self.descriptor) == os.getpgrp()
        except OSError:  # hung up
            return False

    def state(self) -> list[Any] | None:
        """How the terminal is set; None in the background, where a shell may be editing its line."""
        return termios.tcgetattr(self.descriptor) if self.in_foreground else None

    def started(self, note: Callable[[str], None]) -> None:
        """The job runs. `note` tells its guard what to do to the terminal should the runner die."""
        self._note = note
        self.take()

    def take(self) -> bool:
        """Set raw mode, where that is possible now; whether it was."""
        if self._gone or self._saved is not None or not self.in_foreground:
            return False
        if self._shared and not _is_alone():
            return False
        with suppress(termios.error):
            saved = termios.tcgetattr(self.descriptor)
            self._note(f"{self._path} {' '.join(_words(saved))}")
            if self._set(_raw(saved)):
                self._saved = saved
        return self.taken

    def give_back(self) -> None:
        """Restore the terminal's state."""
        if self._saved is not None:
            self._set(self._saved)
        self._forget()

    def resume(self) -> None:
        """The runner was stopped, perhaps without notice (STOP): then a shell may have set the terminal."""
        if self._saved is not None and not self._set(_raw(self._saved)):
            self._forget()
        self.take()

    def _set(self, state: list[Any]) -> bool:
        """Where that is possible: in the background it would stop the runner."""
        # No stop between a look at the foreground and what depends on it.
        with suppress(termios.error), held_back((signal.SIGTSTP, signal.SIGTTOU)):
            if self.in_foreground:
                termios.tcsetattr(self.descriptor, termios.TCSANOW, state)
                return True
        return False

    def _forget(self) -> None:
        if self._saved is not None:
            self._saved = None
            self._note("")

    def end(self) -> None:
        """Give it back for good."""
        self.give_back()
        self._gone = True

    def close(self) -> None:
        """Close the descriptor that was opened for it."""
        if self.descriptor > 2:
            os.close(self.descriptor)

    def read(self) -> bytes:
        """What was typed; nothing where the terminal is not ours, or gone."""
        if not self.in_foreground:
            self.resume()
            return b""
        try:
            typed = os.read(self.descriptor, _CHUNK)
        except OSError:
            typed = b""
        if not typed:
            self._saved, self._gone = None, True
        return typed


def _raw(state: list[Any]) -> list[Any]:
    raw = list(state)
    for place, names in _CLEARED.items():
        for name in names:
            raw[place] &= ~getattr(termios, name)
    raw[_CHARACTERS] = list(state[_CHARACTERS])
    raw[_CHARACTERS][termios.VMIN] = 1
    raw[_CHARACTERS][termios.VTIME] = 0
    return raw


def _words(state: list[Any]) -> list[str]:
    """What stty(1) has to be given to undo raw mode."""
    return [
        name.lower()
        for place, names in _CLEARED.items()
        for name in names
        if state[place] & getattr(termios, name)
    ]


def _is_alone() -> bool:
    """Whether only this process, its children, and ancestors that wait for it are in its process group."""
    parents = dict(group_members(os.getpgrp()))
    mine = os.getpid()
    if mine not in parents:  # a system without /proc
        return False
    related = {mine}
    ancestor = mine
    while ancestor in parents:
        related.add(ancestor)
        ancestor = parents[ancestor]
    return all(process in related or parent == mine for process, parent in parents.items())
