"""What others do to the record of a run while its command runs, and the sign of life that they see.

A run that is set to KILLED or deleted in its store is stopped. FAILED and FINISHED do not stop it: MLflow's client sets
them itself where a `with mlflow.start_run()` ends, and the script may go on after that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from threading import Event
from time import monotonic

from projrun.errors import ProjrunError
from projrun.running.record.reaping import HEARTBEAT
from projrun.running.record.recorder import now
from projrun.tracking.entities import Tag
from projrun.tracking.runs import RunStore

CANCELLED = "cancelled on the tracking server"
DELETED = "the run was deleted on the tracking server"

_ASK_EVERY = 10.0
BEAT_EVERY = 60.0
"""Seconds between two heartbeats, and from the beginning of the run to the first."""


class RemoteControl:
    """Asks the store of one run what has become of it, until its command is over. A store that fails is asked again."""

    def __init__(
        self, opened: Callable[[], RunStore], run_id: str, over: Event, cancel: Callable[[str], None]
    ) -> None:
        """`opened` gives a store for this alone; `cancel` ends the command for a reason."""
        self._opened = opened
        self._run_id = run_id
        self._over = over
        self._cancel = cancel

    def run(self, begun: float) -> None:
        """Until the command is over, or was cancelled. The run began at this `monotonic` time."""
        with suppress(ProjrunError, OSError), closing(self._opened()) as store:
            beat_at = begun + BEAT_EVERY
            pause = 0.0
            while not self._over.wait(pause):
                pause = _ASK_EVERY
                with suppress(ProjrunError, OSError):
                    if reason := self._cancellation(store):
                        self._cancel(reason)
                        return
                    if monotonic() >= beat_at:
                        store.set_tag(self._run_id, Tag(HEARTBEAT, str(now())))
                        beat_at = monotonic() + BEAT_EVERY

    def _cancellation(self, store: RunStore) -> str:
        run = store.get_run(self._run_id)
        if run.lifecycle_stage == "deleted":
            return DELETED
        return CANCELLED if run.status == "KILLED" else ""
