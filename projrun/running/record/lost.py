"""Runs whose runner died: the next command ends them, so that none stays RUNNING for ever."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from projrun.cache.lease import Lease, Mark, abandoned, lease_of
from projrun.cache.locks import is_locked
from projrun.directories import Directories
from projrun.errors import NotFoundError, ProjrunError
from projrun.execution.protocol import UNKNOWN_EXIT_CODE
from projrun.execution.registry import get_backend
from projrun.execution.supervision.ending import cause_tags
from projrun.running.record.recorder import LOG, RunEnd, RunRecorder, now
from projrun.tracking.artifacts.files import chunks_of, write_whole
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

_DRAWING = (b"\r", b"\b", b"\x1b")
"""Without these, nothing in a log is drawn over."""

LOST = "the runner was killed or the machine went down"
_LOST = "lost: "
_LATEST = 600.0
"""Seconds for which a server that was asked to create a run, and did not answer, may still create it."""


def end_lost_runs(
    directories: Directories, store_name: str, store: RunStore, warn: Callable[[str], None]
) -> None:
    """End the lost runs of this store; a store that fails leaves them for the next command."""
    for lease in abandoned(directories.active, store_name):
        end_lost_run(lease, directories.logs, store, warn)


def end_lost_run(lease: Lease, logs: Path, store: RunStore, warn: Callable[[str], None]) -> None:
    """Record the end that the runner noted, else what the job's backend says, else KILLED; keep the output.

    Then release the lease. A job that still runs keeps it.
    """
    mark = lease.mark
    ending = _ending(mark)
    if ending is None:
        lease.release(keep=True)  # the job outlived its runner: the next command looks again
        return
    try:
        run = _find(lease, store)
    except NotFoundError:
        # A server that was asked to create it may be slow.
        lease.release(keep=not mark.run_id and bool(mark.experiment_id) and lease.age < _LATEST)
        return
    except ProjrunError:
        lease.release(keep=True)  # the store is out of reach: the next command tries again
        return
    if run.lifecycle_stage != "active":
        lease.release()
        return
    recorder = RunRecorder(store, run, warn)
    if mark.continued:
        recorder.before = run
    deliver_log(lease, recorder, logs, warn)
    delivered = True
    if mark.status or run.status == "RUNNING":
        delivered = recorder.finish(ending)
        end_created_runs(lease, run, store, ending, warn)
        if delivered and not mark.status:
            why = ending.reason if ending.reason.startswith(_LOST) else f"{_LOST}{LOST}"
            warn(f"run {run.run_name} ({run.run_id}) was {why}; it is now recorded as {ending.status}")
    lease.release(keep=not delivered)


def _find(lease: Lease, store: RunStore) -> Run:
    """The lease's run, also where its runner did not hear its id. Raises NotFoundError where there is none."""
    mark = lease.mark
    if mark.run_id:
        return store.get_run(mark.run_id)
    if not mark.experiment_id:
        raise NotFoundError("the store was not asked to create it")
    from projrun.tracking.origin import run_of_origin

    run = run_of_origin(store, mark.experiment_id, mark.origin_id)
    lease.mark = mark._replace(run_id=run.run_id)
    return run


def end_created_runs(
    lease: Lease, owner: Run, store: RunStore, end: RunEnd, warn: Callable[[str], None]
) -> None:
    """End the runs that the command of `owner` created and left RUNNING; those that another runner records go on."""
    for run_id in lease.created:
        try:
            run = store.get_run(run_id)
        except ProjrunError:
            continue
        other = lease_of(lease.folder.parent, run_id)
        live = other is not None and is_locked(other / "run.json")
        if run.status != "RUNNING" or run.lifecycle_stage != "active" or live:
            continue
        why = f": {end.reason}" if end.reason else ""
        reason = f"left RUNNING by the command of run {owner.run_id}, which is {end.status}{why}"
        RunRecorder(store, run, warn).finish(end._replace(reason=reason))


def deliver_log(lease: Lease, recorder: RunRecorder, logs: Path, warn: Callable[[str], None]) -> Path | None:
    """Make the output an artifact; where the store cannot take it, the local file that keeps it."""
    if not lease.log_file.exists():
        return None
    if recorder.artifact(shown_log(lease), LOG):
        with suppress(OSError):  # a continued run would get it again, under the next number
            lease.log_file.unlink()
        return None
    try:
        kept = lease.keep_log(logs)
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


def _ending(mark: Mark) -> RunEnd | None:
    """What its runner noted, else what the job's backend says; None while the job runs."""
    if mark.status:
        return RunEnd(mark.status, mark.exit_code or 0, mark.reason, mark.end_time or now(), mark.tags)
    lost = RunEnd("KILLED", 137, f"{_LOST}{LOST}", now())
    if not mark.job:
        return lost
    try:
        outcome = get_backend(mark.backend).attach(mark.job).poll()
    except ProjrunError as error:  # the backend no longer knows it, is faulty, or is not installed any more
        return lost._replace(reason=f"{lost.reason}; {error.message}")
    if outcome is None:
        return None
    if outcome.exit_code == UNKNOWN_EXIT_CODE:
        return lost
    return RunEnd(outcome.status, outcome.exit_code, outcome.reason, now(), cause_tags(outcome))
