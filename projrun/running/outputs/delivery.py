"""Sending what a run's command left to be recorded: its points while it runs and at its end, then its files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event

from projrun.errors import InvalidValueError, ProjrunError
from projrun.running.outputs.collection import Collection
from projrun.running.record.recorder import RunRecorder
from projrun.tracking.bounded import RATE
from projrun.tracking.entities import Metric
from projrun.tracking.runs import Deadline, RunStore

_PAUSE = 2.0
_AFTER_FAILURE = 30.0
_HURRIED = 5.0


def follow(collection: Collection, opened: Callable[[], RunStore], run_id: str, over: Event) -> None:
    """Send points until the command is over. A store that fails gets them later; `opened` gives one for this alone."""
    collection.resume()
    with closing(opened()) as store:
        pause = 0.0
        while not over.wait(pause):
            try:
                pause = _PAUSE
                while not over.is_set() and (batch := collection.batch()):
                    _send(store, run_id, collection, batch)
            except (ProjrunError, OSError):
                pause = _AFTER_FAILURE


def _send(store: RunStore, run_id: str, collection: Collection, batch: Sequence[Metric]) -> None:
    try:
        store.log_batch(run_id, metrics=batch)
    except InvalidValueError as error:
        collection.refuse(error)
    collection.taken(batch)


def deliver_points(collection: Collection, recorder: RunRecorder, *, hurried: bool) -> None:
    """Send what is left when the command has ended; what the store does not take waits in the run's folder.

    Who interrupts a run waits only a moment for it.
    """
    recorder.metrics(collection.rest(_HURRIED if hurried else math.inf))


def deliver_artifacts(
    collection: Collection, recorder: RunRecorder, warn: Callable[[str], None], deadline: Deadline | None
) -> None:
    """Send the files of the run, and say what was wrong with its outputs.

    `deadline` is given more time for large files; None where the run was interrupted.
    """
    files = collection.artifacts.written()
    for path, name in files:
        if deadline is not None:
            deadline.extend(_size(path) / RATE)
        if not recorder.artifact(path, name) and not isinstance(recorder.failure, InvalidValueError):
            break
    recorder.keep_artifacts(files)
    for problem in collection.problems():
        warn(problem)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # removed meanwhile, which the upload says
        return 0
