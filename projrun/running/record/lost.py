"""Runs whose runner died: the next command ends them, so that none stays RUNNING for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from projrun.cache.lease import Lease, Mark, abandoned, damaged, lease_of
from projrun.directories import JOURNAL, Directories
from projrun.errors import InvalidValueError, NotFoundError, ProjrunError
from projrun.execution.protocol import UNKNOWN_EXIT_CODE
from projrun.execution.registry import get_backend
from projrun.execution.supervision.ending import cause_tags
from projrun.running.record.recorder import LATER, LOG, RUNNER_LOG, RunEnd, RunRecorder, now
from projrun.tracking.artifacts.files import chunks_of, write_whole
from projrun.tracking.entities import Run
from projrun.tracking.runs import Deadline, RunStore
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.journal.merge import Merged

_DRAWING = (b"\r", b"\b", b"\x1b")
"""Without these, nothing in a log is drawn over."""

LOST = "the runner was killed or the machine went down"
_LOST = "lost: "
_LOGS = "logs/output"
_LATEST = 60.0
"""Seconds for which a server that was asked to create a run, and did not answer, may still create it."""


RUNS_ON = "its command still runs"
_QUIETLY = 3.0
"""Seconds that a command spends on what other runs left to deliver."""


class Settled(NamedTuple):
    """The result for a run whose runner is gone."""

    run_id: str = ""
    """Its id in the store; empty where it is not known."""
    reason: str = ""
    """Why something still waits; empty where nothing does."""
    merged: Merged | None = None
    """What was delivered of what waited in its folder."""
    away: bool = False
    """Whether the store is out of reach."""


def end_lost_runs(
    directories: Directories,
    store_name: str,
    store: RunStore,
    warn: Callable[[str], None],
    deadline: Deadline | None = None,
) -> int:
    """End the lost runs of this store, and deliver what waits; for a few seconds. How many still wait of those tried.

    A store that fails, or too little time, leaves them for the next command. `deadline` is the store's.
    """
    until = time.monotonic() + _QUIETLY
    waiting = len(damaged(directories.active))
    deadline = deadline or Deadline()
    deadline.begin(_QUIETLY)
    try:
        for lease in abandoned(directories.active, store_name):
            settled = end_lost_run(lease, directories.logs, store, warn, Quiet(until))
            waiting += settled.reason not in ("", RUNS_ON)
            if settled.away or time.monotonic() > until:
                break
    finally:
        deadline.lift()
    return waiting


class Quiet(NamedTuple):
    """How a command that is about something else delivers."""

    until: float
    """The time of `time.monotonic` after which nothing more is sent."""
    largest: int = 8 * 1024 * 1024
    """Bytes of the largest file that is sent: an upload is not broken off."""


def end_lost_run(
    lease: Lease,
    logs: Path,
    store: RunStore | None,
    warn: Callable[[str], None],
    quiet: Quiet | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Settled:
    """Record the end that the runner noted, else what the job's backend says, else KILLED; deliver what waits.

    Then release the lease. A job that still runs keeps it. With `quiet`, a failure is no warning. Without a store,
    nothing of an offline run is delivered yet.
    """
    mark = lease.mark
    ending = _ending(mark)
    if ending is None:
        lease.release(keep=True)  # the job outlived its runner: the next command looks again
        return Settled(mark.run_id, RUNS_ON)
    if mark.offline or store is None:
        return _settle_offline(lease, ending, logs, store, warn, quiet, progress)
    try:
        run = _find(lease, store)
    except NotFoundError:
        # A server that was asked to create it may be slow.
        keep = not mark.run_id and bool(mark.experiment_id) and lease.age < _LATEST
        lease.release(keep=keep)
        return Settled(reason="the server has not created the run yet" if keep else "")
    except ProjrunError as error:
        lease.release(keep=True)  # the store is out of reach: the next command tries again
        return Settled(mark.run_id, error.message, away=True)
    if run.lifecycle_stage != "active":
        lease.release()
        return Settled(run.run_id)
    failures: list[str] = []
    recorder = RunRecorder(store, run, failures.append if quiet else warn)
    recorder.outbox = lease.folder
    if mark.continued:
        recorder.before = run
    merged = _deliver_waiting(lease, store, warn, quiet, progress)
    deliver_log(lease, recorder, logs, warn)
    delivered = True
    if not mark.ended and (mark.status or run.status == "RUNNING"):
        delivered = recorder.finish(ending)
        end_created_runs(lease, run, store, ending, warn)
        if delivered and not mark.status:
            warn(_lost_text(run, ending))
    recorder.waits = recorder.waits or (merged is not None and not merged.complete)
    release(lease, recorder, delivered=delivered)
    reason = "" if delivered and not recorder.waits else _reason(recorder, merged)
    return Settled(run.run_id, reason, merged)


def _lost_text(run: Run, ending: RunEnd) -> str:
    why = ending.reason if ending.reason.startswith(_LOST) else f"{_LOST}{LOST}"
    return f"run {run.run_name} ({run.run_id}) was {why}; it is now recorded as {ending.status}"


def _settle_offline(
    lease: Lease,
    ending: RunEnd,
    logs: Path,
    store: RunStore | None,
    warn: Callable[[str], None],
    quiet: Quiet | None,
    progress: Callable[[str, float], None] | None,
) -> Settled:
    """End a run that was recorded on this machine alone, where its runner did not; then bring it to its server."""
    from projrun.journal.journal import Journal

    mark = lease.mark
    try:
        with Journal(lease.folder) as journal:
            run = journal.store.get_run(mark.origin_id)
            recorder = RunRecorder(journal.store, run, warn)
            recorder.outbox = lease.folder
            deliver_log(lease, recorder, logs, warn)
            if not _ended_offline(lease, recorder, ending, warn) or lease.log_file.exists():
                lease.release(keep=True)  # a full disk
                return Settled(reason=_reason(recorder, None))
    except NotFoundError:  # its runner was killed before it was recorded, unless its command has begun
        lost = lease.log_file.exists()
        lease.release(keep=lost)
        return Settled(reason=f"{lease.folder / JOURNAL} has lost it" if lost else "")
    except ProjrunError as error:
        lease.release(keep=True)
        return Settled(reason=error.message)
    merged = None if store is None else _deliver_waiting(lease, store, warn, quiet, progress)
    lease.release(keep=merged is None or not merged.complete)
    if merged is None:
        return Settled(reason="it is not delivered yet")
    return Settled(merged.run_ids.get(mark.origin_id, ""), merged.reason, merged, merged.away)


def _ended_offline(lease: Lease, recorder: RunRecorder, ending: RunEnd, warn: Callable[[str], None]) -> bool:
    """Record the end of an offline run where its runner did not; False where that fails."""
    mark, run = lease.mark, recorder.run
    if mark.ended or not (mark.status or run.status == "RUNNING"):
        return True
    if not recorder.finish(ending):
        return False
    end_created_runs(lease, run, recorder.store, ending, warn)
    if not mark.status:
        warn(_lost_text(run, ending))
    with suppress(OSError):
        lease.note(lease.mark._replace(ended=True))
    return True


def _deliver_waiting(
    lease: Lease,
    store: RunStore,
    warn: Callable[[str], None],
    quiet: Quiet | None,
    progress: Callable[[str, float], None] | None,
) -> Merged | None:
    """Merge what waits in the run's folder, where something does."""
    if not (lease.folder / JOURNAL).exists():
        return None
    from projrun.journal.journal import Journal
    from projrun.journal.merge import Merged, merge

    until, largest = (quiet.until, quiet.largest) if quiet else (None, None)
    try:
        with Journal(lease.folder) as journal:
            merged = merge(journal, store, until=until, largest=largest, progress=progress)
    except ProjrunError as error:  # its own file cannot be read: it stays for people to look at
        return Merged({}, reason=error.message)
    for text in merged.refused:
        warn(f"not recorded, and not tried again: {text}")
    return merged


def deliver_held(lease: Lease, recorder: RunRecorder, store: RunStore, warn: Callable[[str], None]) -> None:
    """At the end of a run, send what its store did not take while it went on, or does not have yet."""
    if lease.mark.offline:
        return
    merged = _deliver_waiting(lease, store, warn, None, None)
    if merged is not None:
        recorder.waits = not merged.complete
        if merged.reason:
            warn(f"not all of the run is recorded: {merged.reason}{LATER}")


def _reason(recorder: RunRecorder, merged: Merged | None) -> str:
    failure = recorder.failure
    if merged is not None and merged.reason:
        return merged.reason
    return failure.message if isinstance(failure, ProjrunError) else str(failure)


def release(lease: Lease, recorder: RunRecorder, *, delivered: bool) -> None:
    """Release the lease of a run whose end was delivered or not; its folder stays while something waits in it."""
    if delivered and recorder.waits:
        with suppress(OSError):  # a full disk: the end is recorded again
            lease.note(lease.mark._replace(ended=True))
    lease.release(keep=not delivered or recorder.waits)


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
