"""What is delivered at the end of every run: its output, what its store did not take, the runs its command left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from projrun.cache.lease import Lease, lease_of
from projrun.directories import JOURNAL
from projrun.errors import InvalidValueError, ProjrunError
from projrun.execution.protocol import UNKNOWN_EXIT_CODE
from projrun.running.record.recorder import LATER, LOG, RUNNER_LOG, RunEnd, RunRecorder, now
from projrun.tracking.artifacts.files import chunks_of, write_whole
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

_DRAWING = (b"\r", b"\b", b"\x1b")
"""Without these, nothing in a log is drawn over."""
_LOGS = "logs/output"


def deliver_log(
    lease: Lease, recorder: RunRecorder, logs: Path, warn: Callable[[str], None], path: str = LOG
) -> Path | None:
    """Make the output an artifact with that path; where the store cannot take it, the local file that keeps it.

    What the runner of a detached run said becomes one beside it.
    """
    kept = _deliver_output(lease, recorder, logs, warn, path)
    if path == LOG and lease.messages.exists():
        recorder.artifact(lease.messages, RUNNER_LOG)
    return kept


def _deliver_output(
    lease: Lease, recorder: RunRecorder, logs: Path, warn: Callable[[str], None], path: str
) -> Path | None:
    if not lease.log_file.exists():
        return None
    if recorder.artifact(shown_log(lease), path):
        with suppress(OSError):  # a continued run would get it again, under the next number
            lease.log_file.unlink()
        return None
    waiting = recorder.held.get(path)
    if waiting is not None:
        with suppress(OSError):
            lease.log_file.unlink()
        warn(f"the output is kept in {waiting}")
        return waiting
    if path == LOG and recorder.outbox is not None and not isinstance(recorder.failure, InvalidValueError):
        recorder.waits = True  # a full disk: there is no room for a copy, and none is needed
        warn(f"the output waits in {lease.log_file}")
        return lease.log_file
    try:
        kept = lease.keep_log(logs, path.removeprefix(_LOGS))
    except OSError as error:
        warn(f"the output cannot be kept in {logs}: {error.strerror}")
        return None
    warn(f"the output is kept in {kept}")
    return kept


def shown_log(lease: Lease, name: str = "shown.log") -> Path:
    """The output as the artifact has it, bars folded: a file below `scratch`, or the log where there are none."""
    log = lease.log_file
    try:
        if not any(sign in chunk for chunk in chunks_of(log) for sign in _DRAWING):
            return log
        from projrun.running.record.folding import folded

        shown = lease.scratch / name
        write_whole(folded(chunks_of(log)), shown)
    except OSError:  # a full disk: unfolded it is all there, too
        return log
    return shown


def deliver_held(lease: Lease, recorder: RunRecorder, store: RunStore, warn: Callable[[str], None]) -> None:
    """At the end of a run, send what its store did not take while it went on, or does not have yet."""
    if lease.mark.offline or not (lease.folder / JOURNAL).exists():
        return
    from projrun.running.record.waiting import deliver_waiting

    merged = deliver_waiting(lease, store, warn)
    if merged is not None:
        recorder.waits = not merged.complete
        if merged.reason:
            warn(f"not all of the run is recorded: {merged.reason}{LATER}")


def end_created_runs(
    lease: Lease, owner: Run, store: RunStore, end: RunEnd, warn: Callable[[str], None]
) -> None:
    """End the runs that the command of `owner` created and left RUNNING, but for those with a lease of their own.

    A runner records these, or has noted for the next command how they ended.
    """
    for run_id in lease.created:
        try:
            run = store.get_run(run_id)
        except ProjrunError:
            continue
        recorded = lease_of(lease.folder.parent, run_id) is not None
        if run.status != "RUNNING" or run.lifecycle_stage != "active" or recorded:
            continue
        why = f": {end.reason}" if end.reason else ""
        reason = f"left RUNNING by the command of run {owner.run_id}, which is {end.status}{why}"
        RunRecorder(store, run, warn).finish(end._replace(reason=reason))


def end_left_running(store: RunStore, run_ids: Iterable[str], warn: Callable[[str], None]) -> None:
    """End the runs that a process which has ended left RUNNING: it was killed."""
    for run_id in run_ids:
        with suppress(ProjrunError):
            run = store.get_run(run_id)
            if run.status == "RUNNING":
                end = RunEnd("FAILED", UNKNOWN_EXIT_CODE, "the process that recorded it was killed", now())
                RunRecorder(store, run, warn).finish(end)


def release(lease: Lease, recorder: RunRecorder, *, delivered: bool) -> None:
    """Release the lease of a run whose end was delivered or not; its folder stays while something waits in it."""
    if delivered and recorder.waits:
        with suppress(OSError):  # a full disk: the end is recorded again
            lease.note(lease.mark._replace(ended=True))
    lease.release(keep=not delivered or recorder.waits)
