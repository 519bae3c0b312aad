"""`RunStore`: experiments, runs and what they log. `RestStore` (any MLflow-compatible server) and `SqlStore` fulfil it.

`Deadline` is what their network work goes by.

Errors: NotFoundError, AlreadyExistsError, InvalidValueError, else TrackingError. A store is used
from one thread at a time unless it says otherwise. Limits and semantics are MLflow's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from projrun.errors import OverdueError
from projrun.tracking.entities import (
    Experiment,
    ExperimentPage,
    Metric,
    MetricPage,
    Param,
    Run,
    RunPage,
    Tag,
)
from projrun.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from projrun.tracking.artifacts.repository import ArtifactRepository
    from projrun.tracking.statuses import RunStatus, ViewType


_PATIENCE = 2.0
"""Seconds of waiting after which `on_wait` is called."""


class Deadline:
    """When a store's network work must be over, all of it together: at a time, or as soon as it is cancelled."""

    def __init__(
        self, cancelled: Callable[[], bool] | None = None, on_wait: Callable[[], object] | None = None
    ) -> None:
        """`on_wait` is called where the work after `begin` keeps people waiting."""
        self._cancelled = cancelled
        self._on_wait = on_wait
        self._until: float | None = None
        self._waited = 0.0
        self.hurried = False
        """Whether a signal came before it began: little time is left."""

    def begin(self, seconds: float) -> None:
        """From now on, all the work has so many seconds."""
        self._until = time.monotonic() + seconds
        self._waited = 0.0

    def extend(self, seconds: float) -> None:
        """After `begin`: what follows has so many seconds more."""
        self._until = (self._until or 0.0) + seconds

    def lift(self) -> None:
        """From now on, only each call has its time."""
        self._until = None

    def check(self) -> None:
        """Raise OverdueError where there is no time left."""
        if self._cancelled is not None and self._cancelled():
            raise OverdueError("interrupted")
        if self._until is not None and time.monotonic() >= self._until:
            raise OverdueError("the time for the tracking server is over (--end-timeout)")

    def waited(self, seconds: float) -> None:
        """Count what people have waited."""
        before, self._waited = self._waited, self._waited + seconds
        if self._until is not None and self._on_wait is not None and before < _PATIENCE <= self._waited:
            self._on_wait()

    def pause(self, seconds: float) -> None:
        """Sleep between two attempts; OverdueError where the time ends or a signal comes."""
        while seconds > 0:
            self.check()
            step = min(seconds, 0.1)
            time.sleep(step)
            self.waited(step)
            seconds -= step
        self.check()


class RunStore(Protocol):
    """Experiments, runs, params, metrics, tags and artifacts."""

    uri: str
    """Where it is, without credentials: what is shown to people."""

    # experiments
    def create_experiment(self, name: str, artifact_location: str = "", tags: Sequence[Tag] = ()) -> str: ...
    def get_experiment(self, experiment_id: str) -> Experiment: ...
    def get_experiment_by_name(self, name: str) -> Experiment | None: ...
    def search_experiments(
        self,
        *,
        view_type: ViewType = "ACTIVE_ONLY",
        max_results: int = 1000,
        filter_string: str = "",
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> ExperimentPage: ...
    def set_experiment_tag(self, experiment_id: str, tag: Tag) -> None: ...

    # runs
    def create_run(
        self,
        experiment_id: str,
        *,
        run_name: str = "",
        user_id: str = "",
        start_time: int,
        tags: Sequence[Tag] = (),
        origin_id: str = "",
    ) -> Run:
        """`origin_id`, where given, is the run's id, or becomes its tag `projrun.origin.run_id`."""
        ...

    def get_run(self, run_id: str) -> Run: ...
    def update_run(
        self,
        run_id: str,
        *,
        status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> Run: ...
    def search_runs(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        view_type: ViewType = "ACTIVE_ONLY",
        max_results: int = 1000,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> RunPage: ...
    def log_batch(
        self,
        run_id: str,
        *,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> None: ...
    def set_tag(self, run_id: str, tag: Tag) -> None: ...
    def delete_tag(self, run_id: str, key: str) -> None: ...
    def get_metric_history(
        self, run_id: str, key: str, *, max_results: int | None = None, page_token: str = ""
    ) -> MetricPage: ...

    # artifacts
    def artifacts(self, artifact_uri: str) -> ArtifactRepository: ...

    def param_value_limit(self) -> int:
        """The longest parameter value that the store takes, in characters."""
        ...

    def close(self) -> None: ...


class LocalStore(Protocol):
    """A part of stores on this machine, whose calls are short: a server makes them without a change of thread."""

    def joined(self) -> AbstractContextManager[None]:
        """What is written inside is kept at the end, all at once; what fails inside is undone by itself.

        Raises TrackingError where nothing of it could be kept.
        """
        ...

    def check_place(self) -> None:
        """Raises UnavailableError where another file is in the store's place, or none."""
        ...

    def hurry(self) -> bool:
        """From now on wait for nothing: for another program's lock a call is a TrackingError.

        False where the disk is waited for all the same when something is written.
        """
        ...

    def wait_at_most(self, seconds: float) -> None:
        """For other programs' locks, from now on; then the call is a TrackingError."""
        ...
