"""The time at which each line came, at its beginning, as `docker logs -t` shows it."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_ENDS = re.compile(rb"(\r\n|\n|\r)")
_MOVES = re.compile(rb"(?:\x1b\[[0-9;?]*[A-LN-Za-ln-z])*")
"""What moves the cursor or erases is obeyed before the time is written; colors (CSI m) belong to the text."""


class Timestamps:
    """Puts the time before each line, however the output is cut into chunks; a bar gets it each time it is drawn."""

    def __init__(self) -> None:
        self._at_start = True
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """The chunk with the time before each line that begins in it. A last carriage return waits for what follows."""
        text = self._held + chunk
        self._held = b"\r" if text.endswith(b"\r") else b""
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        stamp = now.replace("+00:00", "Z ").encode()
        stamped: list[bytes] = []
        for number, part in enumerate(_ENDS.split(text[: len(text) - len(self._held)])):
            if number % 2:
                stamped += (stamp, part) if self._at_start and part != b"\r" else (part,)
                self._at_start = True
            elif self._at_start:
                moves = _MOVES.match(part)
                begin = moves.end() if moves else 0
                self._at_start = begin == len(part)
                stamped += part[:begin], b"" if self._at_start else stamp, part[begin:]
            else:
                stamped.append(part)
        return b"".join(stamped)
