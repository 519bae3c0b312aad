"""Runs whose runner died: the next command ends them, so that none stays RUNNING for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from projrun.cache.lease import Lease, Mark
from projrun.cache.lost_leases import abandoned, damaged
from projrun.directories import JOURNAL, Directories
from projrun.errors import NotFoundError, ProjrunError
from projrun.execution.protocol import UNKNOWN_EXIT_CODE
from projrun.execution.registry import get_backend
from projrun.execution.supervision.ending import cause_tags
from projrun.running.record.delivery import deliver_log, end_created_runs, release
from projrun.running.record.recorder import RunEnd, RunRecorder, now
from projrun.running.record.waiting import Quiet, deliver_waiting
from projrun.tracking.entities import Run
from projrun.tracking.parts import find_part
from projrun.tracking.runs import Deadline, LocalStore, RunStore
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.journal.merge import Merged

LOST = "the runner was killed or the machine went down"
_LOST = "lost: "
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
    ending = _ending(lease.mark)
    if ending is None:
        lease.release(keep=True)  # the job outlived its runner: the next command looks again
        return Settled(lease.mark.run_id, RUNS_ON)
    lost = _Lost(lease, ending, logs, warn, quiet, progress)
    if store is None or lease.mark.offline:
        return lost.settle_offline(store)
    return lost.settle(store)


class _Lost(NamedTuple):
    """A lost run, its lease taken over."""

    lease: Lease
    ending: RunEnd
    logs: Path
    warn: Callable[[str], None]
    quiet: Quiet | None
    progress: Callable[[str, float], None] | None

    def settle(self, store: RunStore) -> Settled:
        """Bring a run to its end in its store."""
        lease = self.lease
        try:
            run = _find(lease, store)
        except NotFoundError:
            keep = _may_still_come(lease, store)
            lease.release(keep=keep)
            return Settled(reason="the server has not created the run yet" if keep else "")
        except ProjrunError as error:
            lease.release(keep=True)  # the store is out of reach: the next command tries again
            return Settled(lease.mark.run_id, error.message, away=True)
        if run.lifecycle_stage != "active":
            lease.release()
            return Settled(run.run_id)
        return self._record_end(store, run)

    def _record_end(self, store: RunStore, run: Run) -> Settled:
        lease, mark, warn = self.lease, self.lease.mark, self.warn
        failures: list[str] = []
        recorder = RunRecorder(store, run, failures.append if self.quiet else warn)
        recorder.outbox = lease.folder
        if mark.continued:
            recorder.before = run
        merged = deliver_waiting(lease, store, warn, self.quiet, self.progress)
        deliver_log(lease, recorder, self.logs, warn)
        delivered = mark.ended or not (mark.status or run.status == "RUNNING") or self._finish(recorder)
        recorder.waits = recorder.waits or (merged is not None and not merged.complete)
        release(lease, recorder, delivered=delivered)
        reason = "" if delivered and not recorder.waits else _reason(recorder, merged)
        return Settled(run.run_id, reason, merged)

    def _finish(self, recorder: RunRecorder) -> bool:
        """Record the end where its runner did not; whether the store has it."""
        run, ending = recorder.run, self.ending
        delivered = recorder.finish(ending)
        end_created_runs(self.lease, run, recorder.store, ending, self.warn)
        if delivered and not self.lease.mark.status:
            why = ending.reason if ending.reason.startswith(_LOST) else f"{_LOST}{LOST}"
            self.warn(f"run {run.run_name} ({run.run_id}) was {why}; it is now recorded as {ending.status}")
        return delivered

    def settle_offline(self, store: RunStore | None) -> Settled:
        """End a run that was recorded on this machine alone, then bring it to its server."""
        lease, mark = self.lease, self.lease.mark
        from projrun.journal.journal import Journal

        try:
            with Journal(lease.folder) as journal:
                recorder = RunRecorder(journal.store, journal.store.get_run(mark.origin_id), self.warn)
                recorder.outbox = lease.folder
                deliver_log(lease, recorder, self.logs, self.warn)
                if not self._ended_offline(recorder) or lease.log_file.exists():
                    lease.release(keep=True)  # a full disk
                    return Settled(reason=_reason(recorder, None))
        except NotFoundError:  # its runner was killed before it was recorded, unless its command has begun
            lost = lease.log_file.exists()
            lease.release(keep=lost)
            return Settled(reason=f"{lease.folder / JOURNAL} has lost it" if lost else "")
        except ProjrunError as error:
            lease.release(keep=True)
            return Settled(reason=error.message)
        merged = (
            None if store is None else deliver_waiting(lease, store, self.warn, self.quiet, self.progress)
        )
        lease.release(keep=merged is None or not merged.complete)
        if merged is None:
            return Settled(reason="it is not delivered yet")
        return Settled(merged.run_ids.get(mark.origin_id, ""), merged.reason, merged, merged.away)

    def _ended_offline(self, recorder: RunRecorder) -> bool:
        """Record the end where its runner did not; False where that fails."""
        mark = self.lease.mark
        if mark.ended or not (mark.status or recorder.run.status == "RUNNING"):
            return True
        if not self._finish(recorder):
            return False
        with suppress(OSError):
            self.lease.note(mark._replace(ended=True))
        return True


def _reason(recorder: RunRecorder, merged: Merged | None) -> str:
    failure = recorder.failure
    if merged is not None and merged.reason:
        return merged.reason
    return failure.message if isinstance(failure, ProjrunError) else str(failure)


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


def _may_still_come(lease: Lease, store: RunStore) -> bool:
    """Whether a server that was asked to create the run may be slow: a store on this machine ended with the runner."""
    asked = bool(lease.mark.experiment_id) and not lease.mark.run_id
    return asked and lease.age < _LATEST and find_part(store, LocalStore) is None


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
