"""The thread that takes what is in the queue to the server. Only here are the network's modules imported."""

from __future__ import annotations

import threading
from collections import deque
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
    from collections.abc import Callable
    from typing import Any

    from .sender import Sender
    from .values import Json

_POINTS, _PAIRS = 1000, 100
"""Metrics, and params or tags, that MLflow takes in one call."""
_AWAY = 10.0
"""Seconds after which a server that was away is asked again."""
_LONG = 0.3
"""Seconds that a call may hold up what was logged after it."""


class Recorder:
    """Takes what is in the queue to the server, or to the spool while that is away."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.calls = Calls(lambda: sender.is_closing)
        self._spool: Spool | None = None
        self._away_until = 0.0
        self._git: dict[str, str] | None = None
        self._lock = threading.Lock()
        """Held to change what follows, and to write into the spool: two threads do."""
        self._waiting: deque[tuple[Any, Any, Any]] = deque()
        """`(run, call, body)` of calls, `(None, question, holder)`, in their order."""
        self._under_way: tuple[Any, Any, Any] | None = None
        self._since: float | None = None
        """When it began with what it does now."""
        self._is_kept = False
        """Whether the call under way is in the spool, too."""

    def deliver(self) -> None:
        """All that is in the queue, and what waits in the spool."""
        self._since = time()
        try:
            self._is_away()
            with self._lock:
                self._collect()
            for run, call, body in iter(self._next, None):
                if run is None:
                    self._answer(call, body)
                else:
                    self._record(run, call, body)
        finally:
            with self._lock:
                self._under_way = self._since = None

    def _next(self) -> tuple[Any, Any, Any] | None:
        """What is under way from now on."""
        with self._lock:
            self._under_way = self._waiting.popleft() if self._waiting else None
            self._since, self._is_kept = time(), False
            return self._under_way

    def keep(self) -> None:
        """Put into the spool, too, what a call that takes long holds up: who kills this process must not take it along.

        Called by another thread. Files of artifacts are on the disk already.
        """
        with self._lock:
            if self._since is None or time() - self._since < _LONG:
                return
            self._collect()
            if self._under_way is not None and not self._is_kept and _is_kept(self._under_way):
                self._write(*self._under_way)
                self._is_kept = True
            for _ in range(len(self._waiting)):
                item = self._waiting[0]
                if _is_kept(item):
                    self._write(*item)
                else:
                    self._waiting.append(item)
                self._waiting.popleft()

    def _collect(self) -> None:
        """Turn values in the queue into calls."""
        batch = _Batch()
        while state.queue:
            item = state.queue.popleft()
            run, call = item[:2]
            if run is not None and run.is_silent:
                continue
            if run is not None and (len(item) == 5 or call == "runs/log-batch"):
                if not batch.takes(run):
                    self._waiting += batch.calls()
                batch.add(*item)
            else:
                self._waiting += batch.calls()
                self._waiting.append((run, call, item[2]))
        self._waiting += batch.calls()

    def _answer(self, question: Callable[[Calls], Any], holder: list[Any]) -> None:
        try:
            self._is_away()  # what was logged before comes first
            holder.append(question(self.calls))
        except Exception as error:
            holder.append(error)

    def _record(self, run: Run, call: str, body: Json) -> None:
        """Make a call for a run, or write it into the spool; what the server refuses is said."""
        self._complete(call, body)
        if self._is_away():
            self._keep(run, call, body)
            return
        if self._is_kept:  # and was delivered from there
            return
        try:
            self.calls.record(run, call, body, warn)
        except AwayError as error:
            self._away_until = time() + _AWAY
            spool = self._keep(run, call, body)
            warn(spool.target or "no server", f"{error}; what is logged waits in {spool.path}")
        else:
            self._made()

    def _made(self) -> None:
        """The call under way waits no more."""
        with self._lock:
            self._under_way = None
            if self._is_kept and self._spool is not None:
                self._spool.skip()

    def _complete(self, call: str, body: Json) -> None:
        if call == "runs/create":
            if self._git is None:
                self._git = git_tags()
            body["tags"] = {**self._git, **body["tags"]}

    def _is_away(self) -> bool:
        """Whether values wait already: later ones wait behind them. Tries to deliver them now and then."""
        while self._spool is not None:
            if time() < self._away_until or self._sender.is_closing:
                return True
            try:
                self._spool.catch_up(self.calls, warn)
            except AwayError:
                self._away_until = time() + _AWAY
                return True
            with self._lock:
                if self._spool.is_delivered:
                    self._spool.remove()
                    self._spool = None
        return False

    def _keep(self, run: Run, call: str, body: Json) -> Spool:
        with self._lock:
            spool = self._spool if self._is_kept and self._spool else self._write(run, call, body)
        if call == "runs/create":
            run.is_made.set()  # no caller waits for its id
        return spool

    def _write(self, run: Run, call: str, body: Json) -> Spool:
        if self._spool is None:
            self._spool = Spool.create(state.tracking_uri())
        self._complete(call, body)
        self._spool.add(run, call, body)
        return self._spool


def _is_kept(item: tuple[Any, Any, Any]) -> bool:
    """Whether it may go into the spool: a question waits for its answer, and files may be large."""
    return item[0] is not None and item[1] != "artifact"


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

    def calls(self) -> list[tuple[Any, Any, Any]]:
        """As many calls as MLflow's limits ask for; it is empty then."""
        calls: list[tuple[Any, Any, Any]] = []
        for kind, size in (("params", _PAIRS), ("tags", _PAIRS), ("metrics", _POINTS)):
            values = self._values[kind]
            calls += [
                (self.run, "runs/log-batch", {kind: values[start : start + size]})
                for start in range(0, len(values), size)
            ]
        self.clear()
        return calls
