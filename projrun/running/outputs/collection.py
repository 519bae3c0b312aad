"""The points of one run: read from its sources in batches, and sent while the command runs and at its end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from threading import Lock
from time import monotonic

from projrun.cache.lease import Lease
from projrun.project.model import Outputs
from projrun.running.outputs.artifacts import ArtifactFiles
from projrun.running.outputs.sources import JsonFile, LinesFile, Output, Source, Told
from projrun.running.plan import Plan
from projrun.tracking.entities import Metric
from projrun.tracking.limits import BATCH_METRICS


class Collection:
    """Reads no more than what was sent: where the store is away, the files are the buffer."""

    def __init__(self, plan: Plan, lease: Lease) -> None:
        """Before the command starts: what its files are then is not its own."""
        outputs, project = plan.invocation.outputs or Outputs(), plan.project.directory
        self.artifacts = ArtifactFiles(project, outputs.artifacts)
        self._sources: list[Source] = [Told(lease.metrics)]
        if outputs.patterns:
            self._sources.append(
                Output(lease.log_file, outputs.patterns, timestamps=plan.observation.timestamps)
            )
        for name in outputs.files:
            self._sources.append((JsonFile if name.endswith(".json") else LinesFile)(project, name))
        self._lock = Lock()
        self._flow: Iterator[Metric] = iter(())
        self._batch: list[Metric] = []
        self._ended = False
        self._refused = ""

    def resume(self) -> None:
        """The command, or another attempt of it, runs now."""
        with self._lock:
            self._ended = False

    def batch(self) -> Sequence[Metric]:
        """The next points that no store has; the same again until they are `taken`, none where there are no others."""
        with self._lock:
            if self._ended:
                return ()
            if not self._batch:
                self._batch = list(islice(self._flow, BATCH_METRICS))
            if not self._batch:
                self._flow = self._read(whole=False)
                self._batch = list(islice(self._flow, BATCH_METRICS))
            return self._batch

    def taken(self, batch: Sequence[Metric]) -> None:
        """These are sent. Who was late, after another has sent them, says it in vain."""
        with self._lock:
            if batch is self._batch:
                self._batch = []

    def refuse(self, error: Exception) -> None:
        """Note that the store refuses points, which is said at the end."""
        self._refused = self._refused or f"metrics are refused: {error}"

    def rest(self, seconds: float = math.inf) -> Iterator[Sequence[Metric]]:
        """All that is left, when the command has ended; what can be read in so many seconds."""
        until = monotonic() + seconds
        with self._lock:
            flow = chain(self._batch, self._flow, self._read(whole=True))
            self._batch, self._flow, self._ended = [], iter(()), True
        while batch := list(islice(flow, BATCH_METRICS)):
            yield batch
            if monotonic() > until:
                self._refused = self._refused or "the run was interrupted before all metrics were read"
                return

    def problems(self) -> list[str]:
        """What people should know, at the end."""
        found = [problem for source in self._sources for problem in source.problems()]
        found += [*filter(None, [self._refused]), *self.artifacts.problems]
        return [f"outputs: {problem}" for problem in found]

    def _read(self, *, whole: bool) -> Iterator[Metric]:
        for source in self._sources:
            yield from source.points(whole=whole)
