"""Replaces secrets in a stream of bytes, wherever the stream happens to be cut into chunks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from projrun import credentials

MASK = credentials.MASK.encode()


class Mask:
    """Replaces every secret by `***`; where secrets overlap, the first wins, then the longest.

    Only what may be the beginning of a secret is held back, so a log can be followed while it grows.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        texts = {secret.encode("utf-8", "surrogateescape") for secret in secrets if secret}
        self._secrets = sorted(texts, key=len, reverse=True)
        self._held = b""

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        """Compiled when there is output: until then nothing waits for the command."""
        return re.compile(b"|".join(map(re.escape, self._secrets)))

    def feed(self, chunk: bytes) -> bytes:
        """What can be shown after `chunk`, masked."""
        if not self._secrets:
            return chunk
        text = self._held + chunk
        shown: list[bytes] = []
        end = 0
        undecided = self._undecided(text, end)
        for match in self._pattern.finditer(text):
            if match.start() >= undecided:
                break
            shown += text[end : match.start()], MASK
            end = match.end()
            if end > undecided:
                undecided = self._undecided(text, end)
        self._held = text[undecided:]
        return b"".join(shown) + text[end:undecided]

    def close(self) -> bytes:
        """What was held back, at the end of the stream."""
        held, self._held = self._held, b""
        return self._pattern.sub(MASK, held) if self._secrets else held

    def _undecided(self, text: bytes, start: int) -> int:
        """The start of the longest suffix of `text[start:]` that may be the beginning of a secret."""
        for position in range(max(start, len(text) - len(self._secrets[0]) + 1), len(text)):
            if any(self._begins(secret, text, position) for secret in self._secrets):
                return position
        return len(text)

    @staticmethod
    def _begins(secret: bytes, text: bytes, position: int) -> bool:
        rest = len(text) - position
        return rest < len(secret) and text.startswith(secret[:rest], position)
