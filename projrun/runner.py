"""The way of a run: record, prepare, launch, supervise, finish. Its plan was made before (`projrun.plan`).

Everything after `record` ends in a terminal status, whatever happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from projrun.child import ENDPOINT_STORE, TrackingAddress, child_environment
from projrun.environments.protocol import PreparedEnvironment
from projrun.errors import ProjrunError, RequestError
from projrun.execution.protocol import Job, Outcome, Task
from projrun.execution.registry import get_backend
from projrun.lease import Lease, Mark, abandoned
from projrun.plan import Plan
from projrun.project.command import secret_environment
from projrun.reporting import Reporter
from projrun.sources.fetch import discard
from projrun.tracking.description import describe
from projrun.tracking.entities import Run
from projrun.tracking.recorder import RunEnd, RunRecorder, now
from projrun.tracking.store import TrackingStore
from projrun.tracking.uri import open_store, redact

if TYPE_CHECKING:
    from projrun.execution.signals import SignalRelay


class Result(NamedTuple):
    """What became of a run."""

    run: Run
    store: str
    """The tracking store's URI without credentials."""
    outcome: Outcome
    kept_log: Path | None
    """The output's file on this machine, where it could not become an artifact."""


class Options(NamedTuple):
    """How to run, as opposed to what."""

    relay: SignalRelay | None = None
    """The command line's signal handlers; None for the API, which installs none."""
    forward_stdout_to_stderr: bool = False


class Session(NamedTuple):
    """The open record of this run, and how its child reaches it."""

    plan: Plan
    recorder: RunRecorder
    lease: Lease
    address: TrackingAddress
    secrets: tuple[str, ...]
    reporter: Reporter
    options: Options


def execute(plan: Plan, reporter: Reporter, options: Options) -> Result:
    """Carry a plan out.

    Raises TrackingError or RequestError before the start, EnvironmentBuildError or SourceError after
    the run was recorded as FAILED; a project that fails is not an error but an outcome.
    """
    try:
        with _open_session(plan, reporter, options) as session:
            outcome = _run(session)
            return _finish(session, outcome)
    finally:
        discard(plan.checkout)
        if not plan.keep_storage and plan.storage_directory.exists():
            import shutil

            shutil.rmtree(plan.storage_directory, ignore_errors=True)


def record(plan: Plan, store: TrackingStore, reporter: Reporter) -> RunRecorder:
    """Find or make the experiment and the run; mark as lost what earlier runners left behind."""
    with reporter.activity(f"recording at {store.uri}"):
        recorder = RunRecorder.start(store, describe(plan), reporter.warning)
        _end_abandoned(plan, store, reporter)
    return recorder


@contextmanager
def _open_session(plan: Plan, reporter: Reporter, options: Options) -> Iterator[Session]:
    _make_writable(plan.directories.active)
    store = open_store(plan.tracking.uri, plan.environ, warn=reporter.warning)
    try:
        recorder = record(plan, store, reporter)
        lease = _take_lease(plan, recorder)
        with _tracking_address(plan) as (address, secrets):
            session = Session(plan, recorder, lease, address, secrets, reporter, options)
            yield session
    finally:
        store.close()


def _run(session: Session) -> Outcome:
    from projrun.execution.signals import Interrupted

    try:
        prepared = _prepare(session)
        job = _launch(session, prepared)
        return _supervise(session, job)
    except Interrupted as interruption:
        return interruption.outcome
    except ProjrunError as error:
        error.run_id = session.recorder.run.run_id
        _finish(session, Outcome("FAILED", error.exit_code, error.message))
        raise
    except KeyboardInterrupt:
        _finish(session, Outcome("KILLED", 130, "interrupted by SIGINT"))
        raise
    except BaseException as bug:
        _finish(session, Outcome("FAILED", 70, f"an error in projrun: {type(bug).__name__}"))
        raise


def _prepare(session: Session) -> PreparedEnvironment:
    plan, reporter = session.plan, session.reporter
    for parameter in plan.invocation.parameters:
        if parameter.download is not None:
            with reporter.activity(f"downloading {redact(parameter.download)}"):
                _download(session, parameter.download, Path(parameter.value))
    environment = plan.environment
    with reporter.activity(f"preparing the environment: {environment.resolved.summary}"):
        prepared = environment.manager.prepare(
            environment.request, environment.resolved, rebuild=environment.rebuild, progress=reporter.progress
        )
    _record_environment(session, prepared)
    return prepared


def _download(session: Session, uri: str, destination: Path) -> None:
    from projrun.tracking.artifacts.download import download_uri

    store = open_store(session.plan.tracking.uri, session.plan.environ, warn=session.reporter.warning)
    try:
        download_uri(uri, destination, store, session.plan.environ)
    finally:
        store.close()


def _record_environment(session: Session, prepared: PreparedEnvironment) -> None:
    if prepared.lock is not None:
        file = session.lease.folder / "requirements.lock.txt"
        file.write_text(prepared.lock, encoding="utf-8")
        session.recorder.artifact(file, "environment/requirements.lock.txt")
        file.unlink()
    if prepared.built and prepared.build_log is not None:
        session.recorder.artifact(prepared.build_log, "environment/build.log")


def _launch(session: Session, prepared: PreparedEnvironment) -> Job:
    plan, run = session.plan, session.recorder.run
    environ = child_environment(
        plan.environ,
        prepared,
        run_id=run.run_id,
        experiment_id=run.experiment_id,
        address=session.address,
        extra=secret_environment(plan.invocation),
    )
    task = Task(
        command=plan.invocation.command,
        argv_prefix=prepared.argv_prefix,
        directory=plan.checkout.directory,
        environ=environ,
        log_file=session.lease.log_file,
        grace_period=plan.grace_period,
        secrets=session.secrets,
        forward_stdout_to_stderr=session.options.forward_stdout_to_stderr,
    )
    return get_backend(plan.backend.name).launch(task, plan.backend.config)


def _supervise(session: Session, job: Job) -> Outcome:
    relay = session.options.relay
    if relay is None:
        return job.wait()
    with relay.attached(job):
        return job.wait()


def _finish(session: Session, outcome: Outcome) -> Result:
    recorder, lease = session.recorder, session.lease
    end = RunEnd(outcome.status, outcome.exit_code, outcome.reason, now())
    lease.end(
        lease.mark._replace(
            status=end.status, reason=end.reason, exit_code=end.exit_code, end_time=end.end_time
        )
    )
    log = lease.log_file
    has_log = log.exists()
    log_delivered = not has_log or recorder.artifact(log, "logs/output.log")
    end_delivered = recorder.finish(end)
    kept = None if log_delivered else _keep_log(session, log)
    lease.release(keep=not end_delivered)
    return Result(recorder.run, redact(session.plan.tracking.uri.text), outcome, kept)


def _keep_log(session: Session, log: Path) -> Path:
    import shutil

    kept = session.plan.directories.data / "logs" / f"{session.recorder.run.run_id}.log"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(log, kept)
    session.reporter.warning(f"the output is kept in {kept}")
    return kept


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"cannot write to {folder}: {error.strerror}", hint="set PROJRUN_HOME to a folder that is yours"
        ) from None


def _take_lease(plan: Plan, recorder: RunRecorder) -> Lease:
    run = recorder.run
    try:
        return Lease(
            plan.directories.active / run.run_id, Mark(run.run_id, store_name(plan), run.artifact_uri)
        )
    except BlockingIOError as error:
        raise RequestError(f"--run-id: {error}", hint="wait for it to end") from None


def store_name(plan: Plan) -> str:
    """What the store is called in leases: a nested run's endpoint is gone when its parent is, the store is not."""
    uri = plan.tracking.uri.text
    behind = plan.environ.get(ENDPOINT_STORE)
    return behind if behind and uri == plan.environ.get("MLFLOW_TRACKING_URI") else redact(uri)


def _end_abandoned(plan: Plan, store: TrackingStore, reporter: Reporter) -> None:
    from projrun.tracking.lost import end_lost_run

    for lease in abandoned(plan.directories.active, store_name(plan)):
        end_lost_run(lease, store, reporter.warning)


@contextmanager
def _tracking_address(plan: Plan) -> Iterator[tuple[TrackingAddress, tuple[str, ...]]]:
    secrets = tuple(parameter.raw for parameter in plan.invocation.parameters if parameter.secret)
    uri = plan.tracking.uri
    if uri.database is None:
        yield TrackingAddress(uri.text, plan.environ.get(ENDPOINT_STORE)), secrets
        return
    from projrun.server.endpoint import Endpoint

    with Endpoint.open(uri.database) as endpoint:
        yield TrackingAddress(endpoint.uri, store_name(plan)), (*secrets, endpoint.secret)
