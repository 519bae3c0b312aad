"""How often a client may try a password: after a few mistakes, each further one costs a longer wait."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

FREE = 5
"""Mistakes without a wait."""
LONGEST = 60.0
"""Seconds."""
_FORGOTTEN = 600.0
_REMEMBERED = 10_000

Who = tuple[str, str]
"""The client's address and the user's name: no client keeps another out."""


class Attempts:
    """Mistakes by who made them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mistakes: OrderedDict[Who, tuple[int, float]] = OrderedDict()

    def wait(self, who: Who) -> float:
        """Seconds until the next attempt; 0 where it may come now."""
        count, last = self._mistakes.get(who, (0, 0.0))
        if count < FREE:
            return 0.0
        return max(0.0, last + min(2.0 ** (count - FREE), LONGEST) - self._clock())

    def begun(self, who: Who) -> None:
        """Count an attempt, as a mistake until it succeeds: many at once count, too."""
        count, last = self._mistakes.pop(who, (0, 0.0))
        now = self._clock()
        self._mistakes[who] = (1 if now - last > _FORGOTTEN else count + 1, now)
        if len(self._mistakes) > _REMEMBERED:
            self._mistakes.popitem(last=False)

    def succeeded(self, who: Who) -> None:
        """Forget all mistakes."""
        self._mistakes.pop(who, None)
