"""The output as an artifact while the command runs, so that others can follow a long run.

MLflow's servers cannot append to an artifact: all of it goes up each time. So a pause is at least fifty times as long
as the upload before it, and uploads take two percent of the time at most. A failure ends them for five minutes; the
upload at the end replaces what is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing, suppress
from threading import Event
from time import monotonic

from projrun.cache.lease import Lease
from projrun.errors import ProjrunError
from projrun.running.record.delivery import shown_log
from projrun.running.record.recorder import LOG
from projrun.tracking.artifacts.files import copy_whole
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.runs import RunStore

_SHORTEST, _LONGEST = 10.0, 60.0
"""Seconds between uploads that take no time: at the beginning of a run, and after half an hour."""
_SLOWING = 30
_SHARE = 50
_AFTER_FAILURE = 300.0


class GrowingLog:
    """Uploads the log of one run again and again, from a copy: that one is folded, and does not change under way."""

    def __init__(self, opened: Callable[[], RunStore], artifact_uri: str, lease: Lease, over: Event) -> None:
        """`opened` gives a store for this alone; `over` is set when the command is over."""
        self._opened = opened
        self._artifact_uri = artifact_uri
        self._lease = lease
        self._over = over
        self._copy = lease.folder / "scratch" / "growing.log"
        self._began = monotonic()
        self._size = 0

    def run(self) -> None:
        """Until the command is over."""
        with closing(self._opened()) as store:
            repository = store.artifacts(self._artifact_uri)
            pause = 0.0
            while not self._over.wait(pause):
                pause = self._upload(repository)
        self._copy.unlink(missing_ok=True)

    def give_up(self) -> None:
        """Cut off an upload that is under way: it must not arrive after the last one.

        MLflow 2 keeps what it got, MLflow 3 nothing; the last upload comes later, and is longer.
        """
        with suppress(OSError):
            os.truncate(self._copy, 0)

    def _upload(self, repository: ArtifactRepository) -> float:
        """Seconds to wait before the next one."""
        begin = monotonic()
        try:
            size = self._lease.log_file.stat().st_size
            if size != self._size:
                self._copy_log()
                if self._over.is_set():
                    return 0.0
                repository.upload(self._copy, LOG)
                self._size = size
        except (ProjrunError, OSError):
            return _AFTER_FAILURE
        now = monotonic()
        return max(min((now - self._began) / _SLOWING, _LONGEST), _SHORTEST, (now - begin) * _SHARE)

    def _copy_log(self) -> None:
        self._lease.scratch  # noqa: B018 - creates the folder
        shown = shown_log(self._lease, self._copy.name)
        if shown != self._copy:
            copy_whole(shown, self._copy)
