"""The signals that end the server: the first lets requests finish, the second ends the process."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)
_INSTANT = 0.1
"""Seconds in which SIGINT and SIGTERM are one wish to end: a terminal and a supervisor may send one each."""


@contextmanager
def stop_signals() -> Iterator[int]:
    """A descriptor that can be read once one has come; for the main thread."""
    read, write = socket.socketpair()
    for end in (read, write):
        end.setblocking(False)
    # Written by the signal itself: a handler in Python runs only once the loop has something else to do.
    wakeup = signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, _once) for number in _ENDING}
    try:
        yield read.fileno()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        read.close()
        write.close()


def _once(number: int, frame: FrameType | None) -> None:
    # The other may be under way to its handler: Python reports an error where that is then a default.
    for each in _ENDING:
        signal.signal(each, signal.SIG_DFL if each == number else partial(_again, time.monotonic()))


def _again(first: float, number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    if time.monotonic() - first > _INSTANT:
        signal.raise_signal(number)
