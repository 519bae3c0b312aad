"""What this process has to record: its queue, its runs, and where they go."""

from __future__ import annotations

import os
import threading
from collections import deque

from .environment import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .entities import Run
    from .sender import Sender
    from .values import Json

queue: deque[tuple[Any, ...]] = deque()
"""`(run, key, value, time, step)` of a metric, `(run, call, body)` of any other call, `(None, question, holder)`."""
threads = threading.local()
"""Its `runs` are those that a thread has started and not ended, the innermost last."""
open_runs: list[Run] = []
"""The runs that this process has started and not ended."""
sender: Sender | None = None
pipes: list[Any] = []
"""To the server of a store on this machine, which ends when they are closed."""
uri: str | None = None
experiment: tuple[str, str] | None = None
"""What `set_experiment` has chosen: ("id" or "name", text)."""
has_failed = False
"""Whether an exception ends the process."""


def active() -> list[Run]:
    """The runs of this thread."""
    if not hasattr(threads, "runs"):
        threads.runs = []
    runs: list[Run] = threads.runs
    return runs


def put(run: Run, call: str, body: Json) -> None:
    """A call that is to be made for a run; none without values."""
    if not run.is_silent and any(value not in ({}, [], None) for value in body.values()):
        queue.append((run, call, body))


def end(status: str) -> None:
    """End the innermost run of this thread, if there is one."""
    runs = active()
    if runs:
        run = runs.pop()
        end_run(run, {"status": status, "end_time": now()})
        if run in open_runs:
            open_runs.remove(run)


def end_run(run: Run, ended: Json) -> None:
    """Say that it has ended."""
    if run.over is not None:
        run.over.set()
    put(run, "runs/update", ended)


def tracking_uri() -> str:
    """Where runs are recorded; empty for projrun's own store."""
    return os.environ.get("MLFLOW_TRACKING_URI", "") if uri is None else uri


def chosen_experiment(experiment_id: str | None = None) -> tuple[str, str]:
    """What a call or `set_experiment` has chosen, else the environment, else the default one."""
    if experiment_id:
        return "id", experiment_id
    given = (
        ("id", os.environ.get("MLFLOW_EXPERIMENT_ID")),
        ("name", os.environ.get("MLFLOW_EXPERIMENT_NAME")),
    )
    return experiment or next(((kind, text) for kind, text in given if text), ("id", "0"))
