"""Runs whose runner died: the next command ends them, so that nothing says RUNNING for ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from projrun.errors import NotFoundError, ProjrunError
from projrun.lease import Lease, abandoned
from projrun.tracking.recorder import RunEnd, RunRecorder, now
from projrun.tracking.store import TrackingStore

LOST = "the runner was killed or the machine went down"


def end_lost_runs(active: Path, store_name: str, store: TrackingStore, warn: Callable[[str], None]) -> None:
    """End the lost runs of this store; a store that fails leaves them for the next command."""
    for lease in abandoned(active, store_name):
        end_lost_run(lease, store, warn)


def end_lost_run(lease: Lease, store: TrackingStore, warn: Callable[[str], None]) -> None:
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
    if lease.log_file.exists():
        recorder.artifact(lease.log_file, "logs/output.log")
    delivered = recorder.finish(_end(lease)) if run.status == "RUNNING" else True
    if delivered and not mark.status:
        warn(f"run {run.run_name} ({run.run_id}) was lost: {LOST}; it is now recorded as KILLED")
    lease.release(keep=not delivered)


def _end(lease: Lease) -> RunEnd:
    mark = lease.mark
    if mark.status:
        return RunEnd(mark.status, mark.exit_code or 0, mark.reason, mark.end_time or now())
    return RunEnd("KILLED", 137, f"lost: {LOST}", now())
