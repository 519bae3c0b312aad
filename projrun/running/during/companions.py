"""Starts what goes on beside a command, and ends it with the command."""

from __future__ import annotations

from threading import Event

from projrun.cache.lease import Lease
from projrun.running.during.growing_log import GrowingLog
from projrun.running.plan import Plan
from projrun.running.record.recorder import RunRecorder
from projrun.tracking.open import open_store
from projrun.tracking.runs import RunStore

_PATIENCE = 2.0
"""Seconds that the end of a run may wait for a request that is under way."""


class Companions:
    """They fail without a word: what they do is done again at the end, or not worth a run."""

    def __init__(self, plan: Plan, recorder: RunRecorder, lease: Lease, over: Event) -> None:
        """`over` is set when the command is over."""

        def opened() -> RunStore:
            # A store is for one thread, so each has its own, which does not try anything twice.
            return open_store(plan.tracking.uri, plan.environ, warn=lambda text: None)

        self._ended = Event()
        self._continues = recorder.before is not None
        self._log = GrowingLog(opened, recorder.run.artifact_uri, lease, over)

    def run(self) -> None:
        """Until the command is over. A run that is continued has a log already: its new one comes at the end."""
        try:
            if not self._continues:
                self._log.run()
        finally:
            self._ended.set()

    def end(self) -> None:
        """The command is over."""
        self._log.give_up()
        self._ended.wait(_PATIENCE)
