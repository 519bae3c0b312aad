"""Waiting inside a run, for the next attempt or a free GPU: a signal, or who sets the run to KILLED, ends it."""

from __future__ import annotations

import signal
from threading import Event, Thread
from time import monotonic

from projrun.execution.supervision.signals import Interrupted
from projrun.running.during.remote import RemoteControl
from projrun.running.record.recorder import now
from projrun.running.session import Session, run_store
from projrun.tracking.runs import RunStore

_SHORT = 5.0
"""Seconds for which the store is not asked."""


class Wait:
    """Sleeps; the run gives signs of life meanwhile."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._over = Event()
        self._reasons: list[str] = []
        self._begun = monotonic()
        self._asking: Thread | None = None

    def __enter__(self) -> Wait:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def sleep(self, seconds: float) -> None:
        """Raises Interrupted where the run is to end."""
        if self._asking is None and monotonic() - self._begun + seconds > _SHORT:
            self._asking = Thread(target=self._ask, name="projrun-wait", daemon=True)
            self._asking.start()
        if self._over.wait(seconds):
            interruption = Interrupted(signal.SIGTERM)
            interruption.outcome = interruption.outcome._replace(reason=self._reasons[0])
            raise interruption

    def _ask(self) -> None:
        plan, lease = self._session.plan, self._session.lease

        def opened() -> RunStore:
            return run_store(plan, lease.folder)

        since = max(0, now() - lease.mark.since) / 1000
        run_id = self._session.recorder.run.run_id
        RemoteControl(opened, run_id, self._over, self._cancel).run(monotonic() - since)

    def _cancel(self, reason: str) -> None:
        self._reasons.append(reason)
        self._over.set()
