"""The requests for predictions of one model: counted and timed."""

from __future__ import annotations

import time
from collections import Counter

from projrun.http.serving.exposition import Histogram


class Requests:
    """Those of one server process."""

    def __init__(self) -> None:
        self.active = 0
        """How many are not answered yet."""
        self.answers: Counter[int] = Counter()
        """How many were, by status; 0 where the client has gone."""
        self.durations = Histogram()

    def begin(self) -> float:
        """One has come: its time, for `end`."""
        self.active += 1
        return time.perf_counter()

    def end(self, status: int, begin: float) -> None:
        """It was answered."""
        self.active -= 1
        self.answers[status] += 1
        self.durations.add(time.perf_counter() - begin)
