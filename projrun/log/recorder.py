"""The thread that takes what is in the queue to the server. Only here are the network's modules imported."""

from __future__ import annotations

from time import time

from . import state
from .calls import Calls
from .entities import Run
from .environment import warn
from .errors import AwayError
from .repository import git_tags
from .spool import Spool
from .values import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .sender import Sender
    from .values import Json

_POINTS, _PAIRS = 1000, 100
"""Metrics, and params or tags, that MLflow takes in one call."""
_AWAY = 10.0
"""Seconds after which a server that was away is asked again."""


class Recorder:
    """Takes what is in the queue to the server, or to the spool while that is away."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.calls = Calls(lambda: sender.is_closing)
        self._spool: Spool | None = None
        self._away_until = 0.0
        self._git: dict[str, str] | None = None

    def deliver(self) -> None:
        """All that is in the queue."""
        batch = _Batch()
        while state.queue:
            item = state.queue.popleft()
            run, call, body = item[:3]
            if run is None:
                self._send(batch)
                try:
                    body.append(call(self.calls))
                except Exception as error:
                    body.append(error)
            elif run.is_silent:
                pass
            elif len(item) == 5 or call == "runs/log-batch":
                if not batch.takes(run):
                    self._send(batch)
                batch.add(*item)
            else:
                self._send(batch)
                self._record(run, call, body)
        self._send(batch)

    def _send(self, batch: _Batch) -> None:
        if batch.run is not None:
            run, bodies = batch.run, list(batch.bodies())
            batch.clear()
            for body in bodies:
                self._record(run, "runs/log-batch", body)

    def _record(self, run: Run, call: str, body: Json) -> None:
        """Make a call for a run, or write it into the spool; what the server refuses is said."""
        if call == "runs/create":
            if self._git is None:
                self._git = git_tags()
            body["tags"] = {**self._git, **body["tags"]}
        if self._is_away():
            self._keep(run, call, body)
            return
        try:
            self.calls.record(run, call, body, warn)
        except AwayError as error:
            self._away_until = time() + _AWAY
            spool = self._keep(run, call, body)
            warn(spool.target or "no server", f"{error}; what is logged waits in {spool.path}")

    def _is_away(self) -> bool:
        """Whether values wait already: later ones wait behind them. Tries to deliver them now and then."""
        if self._spool is None:
            return False
        if time() < self._away_until or self._sender.is_closing:
            return True
        try:
            self._spool.deliver(self.calls, warn)
        except AwayError:
            self._away_until = time() + _AWAY
            return True
        self._spool = None
        return False

    def _keep(self, run: Run, call: str, body: Json) -> Spool:
        if self._spool is None:
            self._spool = Spool.create(state.tracking_uri())
        self._spool.add(run, call, body)
        if call == "runs/create":
            run.is_made.set()  # no caller waits for its id
        return self._spool


class _Batch:
    """Values of one run that are sent together."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.run: Run | None = None
        self._values: dict[str, list[Json]] = {"metrics": [], "params": [], "tags": []}

    def takes(self, run: Run) -> bool:
        """Whether values of this run may be added."""
        return self.run is None or self.run.origin == run.origin

    def add(self, run: Run, call: str, value: Any, *when: Any) -> None:
        """A metric, or the body of a call that has several values."""
        self.run = run
        if when:
            timestamp, step = when
            point = {"key": call, "value": written(value), "timestamp": timestamp, "step": step}
            self._values["metrics"].append(point)
        else:
            for kind, values in value.items():
                self._values[kind] += values

    def bodies(self) -> Iterator[Json]:
        """As many calls as MLflow's limits ask for."""
        for kind, size in (("params", _PAIRS), ("tags", _PAIRS), ("metrics", _POINTS)):
            values = self._values[kind]
            for start in range(0, len(values), size):
                yield {kind: values[start : start + size]}
