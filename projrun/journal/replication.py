"""Replication: a thread that brings what a run logs into its tracking server, while the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread

from projrun.errors import ProjrunError
from projrun.journal.journal import Journal
from projrun.journal.merge import merge
from projrun.tracking.runs import Deadline, RunStore

INTERVAL = 1.0
"""Seconds between two batches."""
_LONGEST = 30.0
"""Seconds between two tries while the server is away."""
_GRACE = 0.5
"""Seconds that a request under way has at the end: one that is given up may arrive all the same."""


class Replication:
    """A context manager; on exit, a request under way is soon given up. What is missing waits in the journal."""

    def __init__(self, folder: Path, open_target: Callable[[Deadline], RunStore]) -> None:
        """`folder` is the run's; `open_target` is called in the thread."""
        self._folder = folder
        self._open_target = open_target
        self._ending = Event()
        self._given_up = Event()
        self._thread = Thread(target=self._run, name="projrun-replication", daemon=True)
        self.refused: list[str] = []
        """What the server will never take, and why."""

    def __enter__(self) -> Replication:
        self._thread.start()
        return self

    def __exit__(self, *ending: object) -> None:
        self._ending.set()
        self._thread.join(_GRACE)
        self._given_up.set()
        self._thread.join()

    def _run(self) -> None:
        # A file that cannot be opened, or wrong settings: the end of the run reports them.
        with (
            suppress(ProjrunError, OSError),
            Journal(self._folder) as journal,
            closing(self._open_target(Deadline(self._given_up.is_set))) as target,
        ):
            self._replicate(journal, target)

    def _replicate(self, journal: Journal, target: RunStore) -> None:
        pause = INTERVAL
        while not self._ending.wait(pause):
            if not journal.count():
                continue
            merged = merge(journal, target, values_only=True)
            self.refused.extend(merged.refused)
            pause = INTERVAL if merged.complete else min(2 * pause, _LONGEST)
