"""Runs and experiments, with the attributes of MLflow's."""

from __future__ import annotations

import os
import threading

from . import state
from .environment import deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from .values import Json


class Run:
    """A run. In a `with` block it ends with the block: FINISHED, or FAILED by an exception."""

    def __init__(self, run_id: str = "", *, is_silent: bool = False) -> None:
        self.origin = run_id or os.urandom(16).hex()
        """Its id, or the one that it has here until its server has given it another."""
        self.is_new = not run_id
        """Whether this process has started it."""
        self.is_silent = is_silent
        """Whether another process records in its place."""
        self.over: threading.Event | None = None
        """Set when it ends, for the thread that samples the machine."""
        self.is_made = threading.Event()
        """Set once its id is known, or cannot be waited for."""
        self._data: RunData | None = None
        self._info = RunInfo({"run_id": run_id}) if run_id or is_silent else None
        if self._info is not None:
            self.is_made.set()

    @property
    def info(self) -> RunInfo:
        """What the server says of the run; waits until it is created there, or until that must wait, too."""
        run_id = self.run_id
        if self._info is not None and not self._info.experiment_id and not self.is_silent:
            self._ask(run_id)
        return self._info or RunInfo({"run_id": run_id})

    @property
    def run_id(self) -> str:
        """Its id; waits as `info` does."""
        self.is_made.wait(deadline())
        return self._info.run_id if self._info else self.origin

    def _ask(self, run_id: str) -> None:
        """About a run that was created elsewhere."""
        from contextlib import suppress

        from .errors import LogError
        from .questions import get_run

        with suppress(LogError):  # its id is known
            self._info = get_run(run_id).known

    @property
    def data(self) -> RunData:
        """What was recorded up to now. Raises LogError where the server cannot be asked."""
        from .questions import get_run

        return self._data or get_run(self.info.run_id).data

    @property
    def known(self) -> RunInfo | None:
        """As `info`, without waiting."""
        return self._info

    def know(self, info: Json, data: Json | None = None) -> None:
        """What a server has said."""
        self._info = RunInfo(info)
        if data is not None:
            self._data = RunData(data)
        self.is_made.set()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self in state.active():
            state.end("FINISHED" if kind is None else "FAILED")


class RunInfo:
    """`run_id`, `run_name`, `experiment_id`, `status`, `start_time`, `end_time`, `artifact_uri`, `user_id`."""

    run_name = experiment_id = status = artifact_uri = user_id = lifecycle_stage = ""
    start_time: int | None = None
    end_time: int | None = None

    def __init__(self, info: Json) -> None:
        self.run_id: str = info.get("run_id", "")
        self.__dict__.update(info)

    def __repr__(self) -> str:
        return f"RunInfo({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class RunData:
    """`metrics` (the latest values), `params` and `tags`, by name."""

    def __init__(self, data: Json) -> None:
        self.metrics = {each["key"]: float(each["value"]) for each in data.get("metrics", ())}
        self.params = {each["key"]: each.get("value", "") for each in data.get("params", ())}
        self.tags = {each["key"]: each.get("value", "") for each in data.get("tags", ())}


class Experiment:
    """`experiment_id`, `name`, `artifact_location`, `lifecycle_stage`, `tags`."""

    experiment_id = name = artifact_location = lifecycle_stage = ""

    def __init__(self, experiment: Json) -> None:
        self.__dict__.update(experiment)
        self.tags = {each["key"]: each["value"] for each in experiment.get("tags", ())}

    def __repr__(self) -> str:
        return f"Experiment(experiment_id={self.experiment_id!r}, name={self.name!r})"
