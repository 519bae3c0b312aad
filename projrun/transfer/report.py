"""What a transfer did, and what it says while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from projrun.reporting import Meter


@dataclass
class Transferred:
    """Counts of what the target did not have; a second transfer of the same store has none."""

    experiments: int = 0
    runs: int = 0
    points: int = 0
    models: int = 0
    versions: int = 0
    artifacts: int = 0
    size: int = 0
    """Bytes of artifacts."""
    found: int = 0
    """Runs that the target had whole."""
    notes: list[str] = field(default_factory=list)
    """What is different in the target, and no loss."""
    missing: list[str] = field(default_factory=list)
    """What could not be brought, and why."""


class Progress:
    """Tells how far a transfer is: runs that are done of all, points and bytes."""

    def __init__(self, transferred: Transferred, meter: Meter | None, size: Callable[[int], str]) -> None:
        self._transferred = transferred
        self._meter = meter
        self._size = size
        self.total = 0
        self.done = 0

    def show(self) -> None:
        """After each batch."""
        if self._meter is not None:
            sum_ = self._transferred
            text = f"{self.done} of {self.total} runs, {sum_.points} points, {self._size(sum_.size)}"
            self._meter(text, self.done / max(1, self.total))
