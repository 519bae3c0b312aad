"""Metrics `system/…` of one run while its command runs, as MLflow's client records them.

Where the command's own client records them after all (`mlflow.enable_system_metrics_logging()`), it goes on from the
last step that it finds, and this stops.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from threading import Event

from projrun.errors import ProjrunError
from projrun.running.during.machine import Machine, Values, aggregate
from projrun.running.during.sampling import Sampling
from projrun.running.record.recorder import now
from projrun.tracking.entities import Metric
from projrun.tracking.runs import RunStore

_Place = tuple[int, int]

_PREFIX = "system/"
_SOON = 0.5
"""Seconds to the first sample: the processor's use is that of a period."""
_MOST_WAITING = 1000
"""What a store may fail to take before the oldest is forgotten; also the most that MLflow takes at once."""


class SystemMetrics:
    """Samples the machine, and logs the values in batches. A store that fails gets them with the next ones."""

    def __init__(
        self, opened: Callable[[], RunStore], run_id: str, sampling: Sampling, machine: Machine, over: Event
    ) -> None:
        """`opened` gives a store for this alone; `over` is set when the command is over."""
        self._opened = opened
        self._run_id = run_id
        self._sampling = sampling
        self._machine = machine
        self._over = over
        self._last: _Place | None = None
        """The step and the time of what was logged last; what is later is another's."""
        self._waiting: list[Metric] = []

    def run(self) -> None:
        """Until the command is over."""
        with closing(self._opened()) as store:
            pause = _SOON
            while True:
                samples = []
                for _ in range(self._sampling.samples):
                    if self._over.wait(pause):
                        return
                    samples.append(self._machine.sample())
                    pause = self._sampling.interval
                if not self._log(store, aggregate(samples)):
                    return

    def _log(self, store: RunStore, values: Values) -> bool:
        """False where someone else logs them. Before the store has answered once, no step is known."""
        found = self._found(store)
        if found and self._last and found > self._last:
            return False
        last = self._last or found
        if last is None:
            return True
        self._last = step, time = last[0] + 1, now()
        prefix = f"{_PREFIX}{self._sampling.node}/" if self._sampling.node else _PREFIX
        self._waiting += (Metric(f"{prefix}{name}", value, time, step) for name, value in values.items())
        del self._waiting[:-_MOST_WAITING]
        with suppress(ProjrunError, OSError):
            store.log_batch(self._run_id, metrics=self._waiting)
            self._waiting.clear()
        return True

    def _found(self, store: RunStore) -> _Place | None:
        """The last that the store has of anyone; None where it does not answer."""
        try:
            metrics = store.get_run(self._run_id).metrics
        except (ProjrunError, OSError):
            return None
        places = ((one.step, one.timestamp) for one in metrics if one.key.startswith(_PREFIX))
        return max(places, default=(-1, 0))
