"""What git says while it fetches: its progress, which GitPython reads, and everything else, which is kept.

GitPython is imported only for a long fetch that a terminal shows: that costs 0.1 s and runs `git version`,
in the environment of this process. It runs no other git.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from threading import Thread
from typing import IO

from projrun.reporting import Meter

_PATIENCE = 0.5
"""Seconds before progress is read."""
_PIECE = 16 * 1024
_LONGEST_LINE = 4 * 1024
_MOST_SAID = 64 * 1024
"""Bytes."""
_PROGRESS = re.compile(
    rb"(remote: )?[A-Z][a-z ]+: +(\d{1,3}% \(\d{1,15}/\d{1,15}\)|\d{1,15}(?=,|$)).{0,100}|remote: Total \d.*"
)


class Listener:
    """Takes what a git process says on stderr, in a thread of its own, until all who could speak have ended."""

    def __init__(self, stream: IO[bytes], meter: Meter) -> None:
        self._stream = stream
        self._meter = meter
        self._said = bytearray()
        self._reader: Callable[[str], None] | None = None
        self._time = time.monotonic() + _PATIENCE
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def end(self) -> bytes:
        """All that was said, without progress, up to 64 KiB."""
        self._thread.join()
        return bytes(self._said)

    def _listen(self) -> None:
        rest = b""
        with self._stream as stream:
            while piece := os.read(stream.fileno(), _PIECE):
                *lines, rest = re.split(rb"[\r\n]", rest + piece)
                for line in lines:
                    self._take(line)
                rest = rest[:_LONGEST_LINE]
            self._take(rest)

    def _take(self, line: bytes) -> None:
        if _PROGRESS.fullmatch(line):
            if time.monotonic() >= self._time:
                self._read(line.decode(errors="replace"))
        elif line.strip() and len(self._said) < _MOST_SAID:
            self._said += line + b"\n"

    def _read(self, line: str) -> None:
        if self._reader is None:
            self._reader = _reader(self._meter)
        self._reader(line)


def _reader(meter: Meter) -> Callable[[str], None]:
    """Reads lines of progress; one that reads nothing where GitPython finds no git on this process's own PATH."""
    try:
        from git.util import CallableRemoteProgress, RemoteProgress
    except ImportError:
        return lambda line: None
    stages = {
        RemoteProgress.COUNTING: "counting objects: {}",
        RemoteProgress.COMPRESSING: "compressing objects: {}",
        RemoteProgress.RECEIVING: "{} objects",
        RemoteProgress.RESOLVING: "resolving deltas: {}",
    }

    def update(operation: int, done: float, total: float | None, message: str) -> None:
        stage = stages.get(operation & RemoteProgress.OP_MASK)
        if stage is not None and total:
            counted = stage.format(f"{done:,.0f} of {total:,.0f}")
            meter(", ".join(filter(None, (counted, message))), done / total)  # bytes, and bytes a second

    return CallableRemoteProgress(update).new_message_handler()
