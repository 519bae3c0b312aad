"""Runs whose runner died: the next command ends them, so that none stays RUNNING for ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from projrun.cache.lease import Lease, Mark, abandoned
from projrun.directories import Directories
from projrun.errors import NotFoundError, ProjrunError
from projrun.running.record.recorder import RunEnd, RunRecorder, now
from projrun.tracking.runs import RunStore

LOST = "the runner was killed or the machine went down"


def end_lost_runs(
    directories: Directories, store_name: str, store: RunStore, warn: Callable[[str], None]
) -> None:
    """End the lost runs of this store; a store that fails leaves them for the next command."""
    for lease in abandoned(directories.active, store_name):
        end_lost_run(lease, directories.logs, store, warn)


def end_lost_run(lease: Lease, logs: Path, store: RunStore, warn: Callable[[str], None]) -> None:
    """Record the end that the runner noted, else KILLED, with the output that was kept; then release the lease."""
    mark = lease.mark
    try:
        run = store.get_run(mark.run_id)
    except NotFoundError:
        lease.release()
        return
    except ProjrunError:
        lease.release(keep=True)  # the store is out of reach: the next command tries again
        return
    recorder = RunRecorder(store, run, warn)
    deliver_log(lease, recorder, logs, warn)
    delivered = True
    if mark.status or run.status == "RUNNING":
        delivered = recorder.finish(_end(mark))
        if delivered and not mark.status:
            warn(f"run {run.run_name} ({run.run_id}) was lost: {LOST}; it is now recorded as KILLED")
    lease.release(keep=not delivered)


def deliver_log(lease: Lease, recorder: RunRecorder, logs: Path, warn: Callable[[str], None]) -> Path | None:
    """Make the output an artifact; where the store cannot take it, the local file that keeps it."""
    if not lease.log_file.exists() or recorder.artifact(lease.log_file, "logs/output.log"):
        return None
    try:
        kept = lease.keep_log(logs)
    except OSError as error:
        warn(f"the output cannot be kept in {logs}: {error.strerror}")
        return None
    warn(f"the output is kept in {kept}")
    return kept


def _end(mark: Mark) -> RunEnd:
    if mark.status:
        return RunEnd(mark.status, mark.exit_code or 0, mark.reason, mark.end_time or now())
    return RunEnd("KILLED", 137, f"lost: {LOST}", now())
