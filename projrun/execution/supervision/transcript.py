"""The output of a terminal, as the runner's own terminal and as the log get it."""

from __future__ import annotations

import re
from collections.abc import Callable

_TAIL = 64
_AT_LINE_START = re.compile(rb"[\r\n](\x1b\[[0-9;?]*[A-Za-z])*\Z")
"""How output ends that leaves the cursor at the start of a line."""


class Transcript:
    """Takes back what a terminal makes of a newline, `\\r\\n`: always in the log, and where it would be made again."""

    def __init__(self, is_raw: Callable[[], bool]) -> None:
        """`is_raw`: whether the runner's own terminal shows what it gets as it is."""
        self._is_raw = is_raw
        self._held = b""
        self._tail = b""

    def feed(self, chunk: bytes) -> tuple[bytes, bytes]:
        """What to show now, and what to log now."""
        self._tail = (self._tail + chunk)[-_TAIL:]
        text = self._held + chunk
        self._held = text[-1:] if text.endswith(b"\r") else b""
        logged = text[: len(text) - len(self._held)].replace(b"\r\n", b"\n")
        return chunk if self._is_raw() else chunk.replace(b"\r\n", b"\n"), logged

    def close(self) -> tuple[bytes, bytes]:
        """The rest. A bar that was interrupted gets a line of its own: what comes next is the runner's."""
        held, self._held = self._held, b""
        interrupted = self._tail and not _AT_LINE_START.search(self._tail)
        return b"\n" if interrupted else b"", held
