"""Starts what goes on beside a command, and ends it with the command."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from time import monotonic

from projrun.cache.lease import Lease
from projrun.errors import ProjrunError
from projrun.running.during.growing_log import GrowingLog
from projrun.running.during.remote import RemoteControl
from projrun.running.outputs.collection import Collection
from projrun.running.outputs.delivery import follow
from projrun.running.plan import Plan
from projrun.running.record.recorder import RunRecorder, now
from projrun.tracking.runs import RunStore

_PATIENCE = 1.0
"""Seconds that the end of a run may wait for a request that is under way."""


class Companions:
    """They fail without a word: what they do is done again at the end, or not worth a run."""

    def __init__(
        self,
        plan: Plan,
        opened: Callable[[], RunStore],
        recorder: RunRecorder,
        lease: Lease,
        over: Event,
        cancel: Callable[[str], None],
        collection: Collection,
    ) -> None:
        """`opened` gives each a store of its own, which does not try anything twice.

        `over` is set when the command is over; `cancel` ends it for a reason.
        """
        self._plan, self._run_id, self._over = plan, recorder.run.run_id, over
        self._opened = opened
        self._ended = Event()
        self._continues = recorder.before is not None
        self._remote = RemoteControl(opened, recorder.run.run_id, over, cancel)
        self._since = lease.mark.since
        self._collection = collection
        self._log = GrowingLog(opened, recorder.run.artifact_uri, lease, over)

    def run(self) -> None:
        """Until the command is over. A run that is continued has a log already: its new one comes at the end."""
        # A thread of its own: an upload may take long. The end does not wait for it.
        begun = monotonic() - max(0, now() - self._since) / 1000
        Thread(target=self._remote.run, args=[begun], name="projrun-remote", daemon=True).start()
        Thread(target=self._follow, name="projrun-outputs", daemon=True).start()
        if self._plan.observation.sampling:
            Thread(target=self._sample, name="projrun-system-metrics", daemon=True).start()
        try:
            if not self._continues:
                self._log.run()
        finally:
            self._ended.set()

    def end(self) -> None:
        """The command is over."""
        self._log.give_up()
        self._ended.wait(_PATIENCE)

    def _follow(self) -> None:
        with suppress(ProjrunError, OSError):  # what is left is sent at the end
            follow(self._collection, self._opened, self._run_id, self._over)

    def _sample(self) -> None:
        sampling = self._plan.observation.sampling
        if sampling is None:
            return
        from projrun.running.during.machine import Machine
        from projrun.running.during.system_metrics import SystemMetrics

        with suppress(Exception):  # whatever a machine refuses to say does not disturb a run
            machine = Machine(self._plan.environ)
            SystemMetrics(self._opened, self._run_id, sampling, machine, self._over).run()
