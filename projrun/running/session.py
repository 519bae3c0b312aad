"""The open record of an active run: the store, the lease, and the user's display options."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from projrun.cache.lease import Lease, Mark
from projrun.credentials import redact_uri
from projrun.errors import ProjrunError, RequestError
from projrun.reporting import Reporter
from projrun.running.plan import Plan
from projrun.running.record.description import describe
from projrun.running.record.parent import ENDPOINT_STORE
from projrun.running.record.recorder import RunEnd, RunRecorder, now
from projrun.sources.copies.disposal import RunCopy
from projrun.tracking.open import close_store, open_store
from projrun.tracking.runs import RunStore
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.execution.supervision.signals import SignalRelay

_RUN_ID = re.compile(r"[A-Za-z0-9][\w-]{0,255}", re.ASCII)
"""MLflow's rule for run ids; here one names a folder too."""


class Options(NamedTuple):
    """How to run, as opposed to what."""

    relay: SignalRelay | None = None
    """The command line's signal handlers; None for the API, which installs none."""
    forward_stdout_to_stderr: bool = False
    on_record: Callable[[str], None] | None = None
    """Called with the run's id once it is recorded."""
    keyboard: bool = False
    """Whether the command, on a terminal, gets what is typed there. Nothing else in this process may read it."""


class Session(NamedTuple):
    """The open record of an active run."""

    plan: Plan
    store: RunStore
    recorder: RunRecorder
    lease: Lease
    reporter: Reporter
    options: Options
    copy: RunCopy


def record(plan: Plan, store: RunStore, reporter: Reporter) -> RunRecorder:
    """Find or create the experiment and the run."""
    with reporter.activity(f"recording at {store.uri}"):
        return RunRecorder.start(store, describe(plan), reporter.warning)


@contextmanager
def open_session(plan: Plan, reporter: Reporter, options: Options, copy: RunCopy) -> Iterator[Session]:
    _make_writable(plan.directories.active)
    store = open_store(plan.tracking.uri, plan.environ, warn=reporter.warning)
    try:
        with shielded(options.relay):
            recorder, lease = _record_leased(plan, store, reporter)
        yield Session(plan, store, recorder, lease, reporter, options, copy)
    finally:
        close_store(store, reporter.warning)


def _record_leased(plan: Plan, store: RunStore, reporter: Reporter) -> tuple[RunRecorder, Lease]:
    """Never touch a run that another runner records; leave none behind without a lease."""
    if plan.run_id is not None:
        lease = _take_lease(plan, plan.run_id)
        try:
            return record(plan, store, reporter), lease
        except BaseException:
            lease.release()
            raise
    recorder = record(plan, store, reporter)
    try:
        return recorder, _take_lease(plan, recorder.run.run_id)
    except ProjrunError as error:
        recorder.finish(RunEnd("FAILED", error.exit_code, error.message, now()))
        raise


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> RequestError:
    return RequestError(
        f"cannot write to {folder}: {error.strerror}",
        hint="set PROJRUN_HOME to a folder that you own, with free space",
    )


def _take_lease(plan: Plan, run_id: str) -> Lease:
    if not _RUN_ID.fullmatch(run_id):
        raise RequestError(f"{run_id!r} is not a run id", hint="see `projrun runs list`")
    folder = plan.directories.active / run_id
    try:
        return Lease(folder, Mark(run_id, store_name(plan), continued=plan.run_id is not None))
    except BlockingIOError as error:
        raise RequestError(f"--run-id: {error}", hint="wait for it to end") from None
    except OSError as error:
        raise _unwritable(folder, error) from None


def store_name(plan: Plan) -> str:
    """The store's name in leases: a nested run's endpoint ends with its parent, the store does not."""
    return endpoint_store(plan) or redact_uri(plan.tracking.uri.text)


def endpoint_store(plan: Plan) -> str | None:
    """The store behind the endpoint of the run that this one is nested in, where it records there too."""
    is_endpoint = plan.tracking.uri.text == plan.environ.get("MLFLOW_TRACKING_URI")
    return (plan.environ.get(ENDPOINT_STORE) or None) if is_endpoint else None


def shielded(relay: SignalRelay | None) -> AbstractContextManager[None]:
    return nullcontext() if relay is None else relay.shielded()
