"""Ending jobs that can no longer be waited for, because their backend failed."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from projrun.execution.protocol import Job

_PAUSE = 0.02
_KILL_PATIENCE = 1.0


def end_jobs(attached: Sequence[Job], here: Sequence[Job], grace_period: float) -> None:
    """TERM, and after the grace period KILL for those that have not ended.

    `attached` are as their backend gives them, `here` the processes that it started on this machine: where an attached
    job cannot say whether it runs, those decide. Errors are passed over: another one is about to be reported.
    """
    jobs = [*attached, *here]
    for signum, patience in ((signal.SIGTERM, grace_period), (signal.SIGKILL, _KILL_PATIENCE)):
        jobs = [job for job in jobs if not _has_ended(job, unknown=bool(here))]
        for job in jobs:
            with suppress(Exception):
                job.signal(signum)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not all(_has_ended(job, unknown=bool(here)) for job in jobs):
            time.sleep(_PAUSE)


def _has_ended(job: Job, *, unknown: bool) -> bool:
    try:
        return job.poll() is not None
    except Exception:
        return unknown
