"""The open record of an active run: the store, the lease, and the user's display options."""

from __future__ import annotations

import _thread
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Event

from projrun.cache.lease import Lease, Mark, lease_of, new_origin_id
from projrun.credentials import redact_uri, secrets_in
from projrun.directories import JOURNAL, make_private
from projrun.errors import OverdueError, ProjrunError, RequestError
from projrun.reporting import Reporter
from projrun.running.plan import Plan
from projrun.running.record.delivery import deliver_log
from projrun.running.record.description import describe
from projrun.running.record.parent import ENDPOINT_STORE
from projrun.running.record.recorder import RunRecorder, now
from projrun.sources.copies.disposal import RunCopy
from projrun.tracking.open import close_store, open_store
from projrun.tracking.runs import Deadline, RunStore
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.execution.protocol import Job, Outcome
    from projrun.execution.supervision.signals import SignalRelay
    from projrun.running.during.companions import Companions
    from projrun.running.outputs.collection import Collection

_LONG = 10.0
"""Seconds after which a command takes long."""

_RUN_ID = r"(?a)[A-Za-z0-9][\w-]{0,255}"
"""MLflow's rule for run ids; here one names a folder too."""

_INDEXES = (
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
)
"""Variables with addresses of package indexes, which a command may print."""


_GIVING_UP = 3.0
"""Seconds to end a run that could not be recorded as a whole; then the next command does."""

_WAITING = "waiting for the tracking server (Ctrl-C leaves; `projrun sync` delivers later)"


class Options(NamedTuple):
    """How to run, as opposed to what."""

    relay: SignalRelay | None = None
    """The command line's signal handlers; None for the API, which installs none."""
    forward_stdout_to_stderr: bool = False
    on_record: Callable[[Session], None] | None = None
    """Called once the run is recorded, before anything is prepared."""
    lease: int | None = None
    """The descriptor of the run's lease, where the process that started this one recorded the run."""
    keyboard: bool = False
    """Whether the command, on a terminal, gets what is typed there. Nothing else in this process may read it."""


_DEFAULTS = Options()


class Claim(NamedTuple):
    """The GPUs that a run has for itself."""

    devices: tuple[str, ...]
    variables: Mapping[str, str]
    """What shows a command on this machine these, and no others."""
    descriptors: tuple[int, ...]
    """Of their locks."""


class Session(NamedTuple):
    """The open record of an active run."""

    plan: Plan
    store: RunStore
    recorder: RunRecorder
    lease: Lease
    reporter: Reporter
    options: Options
    copy: RunCopy
    deadline: Deadline
    """Of the store: it begins when the command has ended."""
    collected: list[Collection]
    """What reads the command's output and files, once something does."""
    gpus: Claim | None = None
    """None where all are shown to the command."""


def record(
    plan: Plan, reporter: Reporter, options: Options = _DEFAULTS, deadline: Deadline | None = None
) -> tuple[RunRecorder, Lease]:
    """Take the lease, then find or create the experiment and the run: no run is touched without its lease.

    The recorder's store is open.
    """
    _make_writable(plan.directories.active)
    store = None if _is_offline(plan) else run_store(plan, Path(), reporter.warning, deadline)
    lease: Lease | None = None
    try:
        lease = _take_lease(plan, options)
        store = store or offline_store(lease.folder, plan.experiment.experiment_id)
        with reporter.activity(f"recording at {store.uri}"), _interruptible(options):
            recorder = RunRecorder.start(store, describe(plan), reporter.warning, lease)
    except BaseException as error:
        if deadline is not None:
            deadline.begin(_GIVING_UP)
        if lease is not None:
            _give_up(lease, plan, store, reporter, error)
        if store is not None:
            close_store(store, reporter.warning)
        raise
    deliver_log(lease, recorder, plan.directories.logs, reporter.warning)  # of a continued run that was lost
    recorder.waits = _is_offline(plan)
    return recorder, lease


@contextmanager
def _interruptible(options: Options) -> Iterator[None]:
    """The signal that ended the network work of the block is raised."""
    try:
        yield
    except OverdueError:
        if options.relay is not None:
            options.relay.raise_waiting()
        raise


def _is_offline(plan: Plan) -> bool:
    return plan.tracking.journal == "offline"


def run_store(
    plan: Plan,
    folder: Path,
    warn: Callable[[str], None] = lambda text: None,
    deadline: Deadline | None = None,
) -> RunStore:
    """Where the run with that folder is recorded while it is active: a store is for one thread, each has its own."""
    if not _is_offline(plan):
        return open_store(plan.tracking.uri, plan.environ, warn=warn, deadline=deadline)
    return offline_store(folder)


def offline_store(folder: Path, experiment_id: str | None = None) -> RunStore:
    """The run-scoped store of a run's folder, with an experiment that stands for the one of the server."""
    from projrun.journal.journal import Journal

    journal = Journal(folder)
    if experiment_id is not None:
        journal.stand_in(experiment_id)
    return journal.store


def _give_up(
    lease: Lease, plan: Plan, store: RunStore | None, reporter: Reporter, error: BaseException
) -> None:
    """End the run that may be there; the lease of one that is out of reach stays for the next command."""
    if not lease.mark.experiment_id or store is None:  # the store was not asked
        lease.release()
        return
    code = getattr(error, "exit_code", 130 if isinstance(error, KeyboardInterrupt) else 70)
    reason = f"the run could not be recorded: {error or type(error).__name__}"
    mark = lease.mark._replace(status="FAILED" if isinstance(error, Exception) else "KILLED")
    with suppress(OSError):
        lease.note(mark._replace(exit_code=code, reason=reason, end_time=now()))
    if isinstance(error, Exception):
        from projrun.running.record.lost import end_lost_run

        end_lost_run(lease, plan.directories.logs, None if _is_offline(plan) else store, reporter.warning)
    else:
        lease.release(keep=True)  # a signal: no server is waited for any more


@contextmanager
def open_session(plan: Plan, reporter: Reporter, options: Options, copy: RunCopy) -> Iterator[Session]:
    _make_writable(plan.directories.active)  # of a home that cannot be written the store would say less
    relay = options.relay
    deadline = Deadline(None if relay is None else relay.is_waiting, lambda: reporter.info(_WAITING))
    with shielded(relay):
        recorder, lease = record(plan, reporter, options, deadline)
    recorder.pause = deadline.pause
    try:
        yield Session(plan, recorder.store, recorder, lease, reporter, options, copy, deadline, [])
    finally:
        close_store(recorder.store, reporter.warning)


def collection_of(session: Session) -> Collection:
    """What reads the command's output and files; made before the command where its project asks for it."""
    from projrun.running.outputs.collection import Collection

    if not session.collected:
        session.collected.append(Collection(session.plan, session.lease))
    return session.collected[0]


def collect_points(session: Session, *, hurried: bool = False) -> None:
    """Record the metrics that the command left in its output and files. For most runs nothing of it is imported."""
    if session.collected or session.lease.metrics.exists():
        from projrun.running.outputs.delivery import deliver_points

        deliver_points(collection_of(session), session.recorder, hurried=hurried)


def note_written(session: Session) -> None:
    """Record which files of a plain folder the run has written: they are not its source."""
    checkout, recorder = session.plan.checkout, session.recorder
    if checkout.commit or checkout.cached is not None or recorder.before is not None:
        return
    from projrun.sources.changes.folder_hash import FILES_TAG, WRITTEN_TAG, written_tag

    written = written_tag(recorder.run.tag(FILES_TAG) or "", checkout.directory)
    if written:
        recorder.tag({WRITTEN_TAG: written})


def collect_artifacts(session: Session, deadline: Deadline | None) -> None:
    """Record the files that its project names; `deadline` gets time for large ones."""
    if session.collected:
        from projrun.running.outputs.delivery import deliver_artifacts

        deliver_artifacts(session.collected[0], session.recorder, session.reporter.warning, deadline)


class Cancellation:
    """Ends the command from beside it, for a reason that becomes the run's."""

    def __init__(self) -> None:
        self.job: Job | None = None
        """The command, once it is started."""
        self._reason = ""

    def cancel(self, reason: str) -> None:
        """End it as SIGTERM to this process would."""
        if self.job is not None:
            self._reason = reason
            self.job.signal(signal.SIGTERM)

    def explained(self, outcome: Outcome) -> Outcome:
        """The outcome of the command with the reason, where this ended it."""
        return outcome._replace(reason=self._reason) if self._reason and outcome.signal else outcome


@contextmanager
def accompanied(session: Session) -> Iterator[Cancellation]:
    """What goes on beside a command that takes long. For others nothing of it is imported."""
    over = Event()
    cancellation = Cancellation()
    company: list[Companions] = []

    def opened() -> RunStore:
        return run_store(session.plan, session.lease.folder)

    def join_in() -> None:
        if over.wait(_LONG):
            return
        from projrun.running.during.companions import Companions

        with suppress(ProjrunError, OSError):
            company.append(
                Companions(
                    session.plan,
                    opened,
                    session.recorder,
                    session.lease,
                    over,
                    cancellation.cancel,
                    collection_of(session),
                )
            )
            company[0].run()

    # A `Thread` is waited for until it runs; this one begins when the command is waited for.
    _thread.start_new_thread(join_in, ())
    try:
        yield cancellation
    finally:
        over.set()
        with shielded(session.options.relay):
            for one in company:
                one.end()


def _make_writable(folder: Path) -> None:
    try:
        make_private(folder)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> RequestError:
    return RequestError(
        f"cannot write to {folder}: {error.strerror}",
        hint="set PROJRUN_HOME to a folder of yours on a local disk with free space",
    )


def _take_lease(plan: Plan, options: Options) -> Lease:
    active, run_id, descriptor = plan.directories.active, plan.run_id, options.lease
    pid = os.getpid() if options.relay else 0
    if run_id is None:
        folder = active / new_origin_id()
        mark = _mark(plan, folder.name, pid)
    elif not re.fullmatch(_RUN_ID, run_id):
        raise RequestError(f"{run_id!r} is not a run id", hint="see `projrun runs list`")
    else:
        folder = lease_of(active, run_id) or active / run_id
        mark = _mark(plan, folder.name, pid)
        if descriptor is None and (folder / JOURNAL).exists():
            raise RequestError(
                f"--run-id: records of run {run_id!r} wait for delivery", hint="run `projrun sync`"
            )
    try:
        if descriptor is not None:
            from projrun.cache.lost_leases import adopt

            adopted = adopt(folder, descriptor)
            if adopted is not None:
                adopted.note(adopted.mark._replace(pid=pid))
                return adopted
        return Lease(folder, mark)
    except BlockingIOError as error:
        raise RequestError(f"--run-id: {error}", hint="wait for it to end") from None
    except OSError as error:
        raise _unwritable(folder, error) from None


def _mark(plan: Plan, origin_id: str, pid: int) -> Mark:
    return Mark(
        plan.run_id or "",
        store_name(plan),
        offline=_is_offline(plan),
        continued=plan.run_id is not None,
        origin_id=origin_id,
        since=now(),
        pid=pid,
        host=os.uname().nodename,
    )


def store_name(plan: Plan) -> str:
    """The store's name in leases: a nested run's endpoint ends with its parent, the store does not."""
    return endpoint_store(plan) or redact_uri(plan.tracking.uri.text)


def endpoint_store(plan: Plan) -> str | None:
    """The store behind the endpoint of the run that this one is nested in, where it records there too."""
    is_endpoint = plan.tracking.uri.text == plan.environ.get("MLFLOW_TRACKING_URI")
    return (plan.environ.get(ENDPOINT_STORE) or None) if is_endpoint else None


def log_secrets(plan: Plan) -> tuple[str, ...]:
    """What is masked in the log: secret parameters, and the passwords and tokens of addresses that are known here."""
    parameters = plan.invocation.parameters
    texts = (plan.tracking.uri.text, *(parameter.raw for parameter in parameters))
    indexes = (plan.environ.get(name, "") for name in _INDEXES)
    secret = (parameter.raw for parameter in parameters if parameter.secret)
    return (*secret, *secrets_in((*texts, *indexes)))


def shielded(relay: SignalRelay | None) -> AbstractContextManager[None]:
    return nullcontext() if relay is None else relay.shielded()
