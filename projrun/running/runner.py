"""Run lifecycle: record, prepare, launch, supervise, finish. Its plan was made before (`projrun.running.plan`).

Everything after `record` ends in a terminal status, whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from projrun.cache.lease import has_others
from projrun.environments.protocol import METRICS, ChildProcess, PreparedEnvironment
from projrun.errors import EnvironmentBuildError, ProjrunError, RequestError, with_disk_code
from projrun.execution.protocol import ExecutionBackend, Job, JobRef, JobSpec, Limits, Outcome
from projrun.execution.registry import get_backend
from projrun.execution.supervision.descendants import marked
from projrun.execution.supervision.ending import cause_tags
from projrun.execution.supervision.process import jobs_writing_to
from projrun.execution.supervision.signals import Interrupted
from projrun.plugins import fault_of
from projrun.project.command import secret_environment
from projrun.reporting import Reporter
from projrun.running.child import (
    TrackingAddress,
    child_environment,
    run_variables,
    tracking_address,
    with_log,
    with_shim,
)
from projrun.running.plan import Plan
from projrun.running.record.delivery import deliver_held, deliver_log, end_created_runs, release
from projrun.running.record.parent import PARENT_RUN_ID
from projrun.running.record.recorder import LOG, RunEnd, now
from projrun.running.session import (
    Cancellation,
    Options,
    Session,
    accompanied,
    collect_artifacts,
    collect_points,
    collection_of,
    note_written,
    open_session,
    shielded,
    store_name,
)
from projrun.sources.copies.disposal import RunCopy
from projrun.tracking.entities import Run
from projrun.tuples import NamedTuple

BUILD_LOG = "environment/build.log"
"""The artifact that says how an environment was built, or why it could not be."""

_AFTER_SIGNAL = 1.5
"""Seconds for the record of a run that a signal ended."""


class Result(NamedTuple):
    """The result of a run."""

    run: Run
    store: str
    """The tracking store's URI without credentials."""
    outcome: Outcome
    kept_log: Path | None
    """The output's file on this machine, where it could not become an artifact."""
    artifact_folder: Path | None
    """The artifacts' folder, if it is on this machine."""
    kept_checkout: Path | None = None
    """The run's copy of the checkout, where it stays."""
    log_path: str = LOG
    """The artifact with the output."""
    models: tuple[str, ...] = ()
    """What `runs:/ID/NAME` calls the models that the command logged, the newest last."""


def execute(plan: Plan, reporter: Reporter, options: Options) -> Result:
    """Execute a plan.

    Raises TrackingError or RequestError before the start, EnvironmentBuildError or SourceError after
    the run was recorded as FAILED; a project that fails is not an error but an outcome.
    """
    copy = RunCopy(plan.checkout, keep=plan.keep_checkout)
    try:
        with open_session(plan, reporter, options, copy) as session:
            outcome = _carry_out(session)
            return _finish(session, outcome)
    finally:
        copy.close()
        if _downloads(plan):
            from projrun.running.downloads import remove_downloads

            remove_downloads(plan)


def _carry_out(session: Session) -> Outcome:
    outcomes: list[Outcome] = []
    try:
        _announce(session)
        with session.reporter.section("preparation"):
            _record_changes(session)
            prepared = _prepare(session)
        with tracking_address(session, prepared) as (address, secrets):

            def attempt(session: Session, variables: Mapping[str, str]) -> Outcome:
                if session.plan.invocation.outputs is not None:
                    collection_of(session)
                child = _child(session, prepared, address, variables)
                for warning in child.warnings:
                    session.reporter.warning(warning)
                section = session.reporter.section("output", session.lease.log_file)
                with section, accompanied(session) as cancellation:
                    spec = _job_spec(session, prepared, child, secrets)
                    return cancellation.explained(_supervise(session, spec, cancellation))

            outcomes.append(_attempted(session, attempt))
        return outcomes[0]
    except Interrupted as interruption:
        session.deadline.hurried = True
        return next(iter(outcomes), interruption.outcome)  # it may come after the end of the command
    except ProjrunError as error:
        with_disk_code(error).run_id = session.recorder.run.run_id
        if isinstance(error, EnvironmentBuildError) and error.log is not None:
            session.recorder.artifact(error.log, BUILD_LOG)
        _finish(session, Outcome("FAILED", error.exit_code, error.message))
        raise
    except KeyboardInterrupt as interrupt:
        setattr(interrupt, "run_id", session.recorder.run.run_id)  # noqa: B010 - for who reports it
        _finish(session, Outcome("KILLED", 130, "interrupted by SIGINT"))
        raise
    except BaseException as bug:
        setattr(bug, "run_id", session.recorder.run.run_id)  # noqa: B010
        _finish(session, Outcome("FAILED", 70, f"an error in projrun: {type(bug).__name__}"))
        raise


def _attempted(session: Session, attempt: Callable[[Session, Mapping[str, str]], Outcome]) -> Outcome:
    limits = session.plan.limits
    if limits is None or (limits.retry is None and limits.gpus is None):
        return attempt(session, {})
    from projrun.running.attempts import attempted

    return attempted(session, limits, attempt)


def _announce(session: Session) -> None:
    plan, run, reporter = session.plan, session.recorder.run, session.reporter
    if session.options.on_record is not None:
        session.options.on_record(session)
    if session.options.relay is not None:
        session.options.relay.raise_waiting()
    if plan.tracking.journal != "offline" and has_others(
        plan.directories.active
    ):  # of an offline run nothing asks
        from projrun.running.record.lost import end_lost_runs

        end_lost_runs(plan.directories, store_name(plan), session.store, reporter.warning, session.deadline)
    reporter.info(f"run {run.run_name} ({run.run_id}): {plan.invocation.shown_command}")


def _record_changes(session: Session) -> None:
    checkout = session.plan.checkout
    if checkout.dirty and checkout.commit is not None:
        from projrun.running.record.changes import record_patch

        record_patch(session)


def _prepare(session: Session) -> PreparedEnvironment:
    plan, reporter = session.plan, session.reporter
    if _downloads(plan):
        from projrun.running.downloads import download_parameters

        download_parameters(session)
    environment = plan.environment
    with reporter.activity(f"preparing the environment: {environment.resolved.summary}"):
        prepared = environment.manager.prepare(
            environment.request, environment.resolved, rebuild=environment.rebuild, progress=reporter.progress
        )
    _record_environment(session, prepared)
    return prepared


def _record_environment(session: Session, prepared: PreparedEnvironment) -> None:
    if prepared.lock is not None:
        _record_lock(session, prepared.lock, prepared.lock_name)
    if prepared.built and prepared.build_log is not None:
        session.recorder.artifact(prepared.build_log, BUILD_LOG)
    if prepared.tags:
        session.recorder.tag(prepared.tags)


def _record_lock(session: Session, lock: str, name: str) -> None:
    try:
        file = session.lease.scratch / name
        file.write_text(lock, encoding="utf-8")
    except OSError as error:
        session.reporter.warning(f"environment/{name} cannot be recorded: {error.strerror}")
    else:
        session.recorder.artifact(file, f"environment/{name}")
        file.unlink()


def _child(
    session: Session, prepared: PreparedEnvironment, address: TrackingAddress, extra: Mapping[str, str]
) -> ChildProcess:
    plan, run = session.plan, session.recorder.run
    variables = run_variables(
        run_id=run.run_id,
        experiment_id=run.experiment_id,
        address=address,
        extra={**_exported(session), **extra},
    )
    environ = marked(child_environment(plan.environ, prepared, variables), session.lease.mark.origin_id)
    if prepared.wrap is None:
        environ.update(session.gpus.variables if session.gpus else {})
        environ = with_log(environ)
        return ChildProcess((), with_shim(environ) if plan.environment.redirects_mlflow else environ)
    from projrun.running.launch import launch_of

    return prepared.wrap(launch_of(session, environ, variables, address, keyboard=_has_keyboard(session)))


def _job_spec(
    session: Session, prepared: PreparedEnvironment, child: ChildProcess, secrets: tuple[str, ...]
) -> JobSpec:
    plan = session.plan
    return JobSpec(
        command=plan.invocation.command,
        argv_prefix=prepared.argv_prefix,
        directory=plan.checkout.directory,
        environ=child.environ,
        log_file=session.lease.log_file,
        grace_period=plan.grace_period,
        secrets=secrets,
        argv=child.argv,
        end_argv=child.end_argv,
        end_environ=child.end_environ,
        end_function=child.end_function,
        end_details=child.end_details,
        forward_stdout_to_stderr=session.options.forward_stdout_to_stderr,
        terminal=plan.terminal,
        timestamps=plan.observation.timestamps,
        keyboard=_has_keyboard(session),
        passes_keys=child.passes_keys,
        limits=plan.limits.for_process(wrapped=bool(child.argv)) if plan.limits else Limits(),
        kept_open=session.gpus.descriptors if session.gpus else (),
        mark=session.lease.mark.origin_id,
        end_leftovers=plan.end_leftovers,
    )


def _has_keyboard(session: Session) -> bool:
    """A nested run leaves it to the outer one, which stops both."""
    return session.options.keyboard and PARENT_RUN_ID not in session.plan.environ


def _exported(session: Session) -> dict[str, str]:
    plan = session.plan
    # The environment that the user chose is the choice for what the project starts, too.
    exported = {**plan.environment.exported, **plan.observation.exported}
    return {**secret_environment(plan.invocation), **exported, METRICS: str(session.lease.metrics)}


def _supervise(session: Session, spec: JobSpec, cancellation: Cancellation) -> Outcome:
    backend, config = get_backend(session.plan.backend.name), session.plan.backend.config

    def launch() -> Job:
        session.copy.started = True
        with _ending(spec):
            ref = backend.submit(spec, config)
            if backend.capabilities.survives_runner:
                _note_job(session, ref)
            cancellation.job = _attached(backend, ref)
            return cancellation.job

    relay = session.options.relay
    if relay is None:
        return _awaited(launch(), spec)
    with relay.attached(relay.launch(launch)) as job:
        return _awaited(job, spec)


def _attached(backend: ExecutionBackend, ref: JobRef) -> Job:
    try:
        return backend.attach(ref)
    except RequestError as error:  # the user has no part in it
        raise fault_of(backend, f"`attach` refuses what `submit` returned: {error.message}") from error


def _note_job(session: Session, ref: JobRef) -> None:
    lease = session.lease
    try:
        lease.note(lease.mark._replace(backend=session.plan.backend.name, job=ref))
    except OSError as error:  # a full disk: the job runs all the same
        session.reporter.warning(f"the job cannot be noted in {lease.folder}: {error.strerror}")


def _awaited(job: Job, spec: JobSpec) -> Outcome:
    with _ending(spec, job):
        return job.wait()


@contextmanager
def _ending(spec: JobSpec, *jobs: Job) -> Iterator[None]:
    """A job whose backend fails leaves no process."""
    try:
        yield
    except BaseException:
        from projrun.execution.supervision.termination import end_jobs

        # Also a process that the backend started and did not say how to find.
        end_jobs(jobs, jobs_writing_to(spec.log_file), spec.grace_period)
        raise


def _finish(session: Session, outcome: Outcome) -> Result:
    """Record the end, within `--end-timeout`; a signal ends that, and what is left waits for the next command."""
    try:
        with shielded(session.options.relay):
            return _record_end(session, outcome)
    except BaseException:  # a second signal: the next command delivers what is missing
        session.lease.release(keep=True)
        raise


def _record_end(session: Session, outcome: Outcome) -> Result:
    recorder, lease, warn = session.recorder, session.lease, session.reporter.warning
    for warning in outcome.warnings:
        warn(warning)
    end = RunEnd(outcome.status, outcome.exit_code, outcome.reason, now(), cause_tags(outcome))
    try:
        lease.note(
            lease.mark._replace(
                status=end.status,
                reason=end.reason,
                exit_code=end.exit_code,
                end_time=end.end_time,
                tags=end.tags,
            )
        )
    except OSError as error:  # a full disk: the store may be elsewhere
        warn(f"the run's end cannot be noted in {lease.folder}: {error.strerror}")
    # Who interrupts a run waits for no server; what takes longer is delivered later.
    seconds = session.plan.end_timeout
    hurried = outcome.signal is not None or session.deadline.hurried or _was_interrupted(session)
    if hurried:
        seconds = min(seconds, _AFTER_SIGNAL)
    session.deadline.begin(seconds * 3 / 4)
    end_created_runs(lease, recorder.run, session.store, end, warn)
    collect_points(session, hurried=hurried)
    note_written(session)
    deliver_held(lease, recorder, session.store, warn)
    kept = deliver_log(lease, recorder, session.plan.directories.logs, warn)
    collect_artifacts(session, None if hurried else session.deadline)
    session.deadline.extend(seconds / 4)  # however long the output took: the status is what others wait for
    delivered = recorder.finish(end)
    run = recorder.run if delivered else recorder.run._replace(status=end.status, end_time=end.end_time)
    models = _models(session) if delivered else ()
    checkout = _settle_copy(session, run.status, delivered)
    release(lease, recorder, delivered=delivered)
    folder = recorder.artifact_folder()
    return Result(run, store_name(session.plan), outcome, kept, folder, checkout, recorder.log_path, models)


def _models(session: Session) -> tuple[str, ...]:
    found = session.recorder.found
    if found is None or not (found.model_outputs or found.tag("mlflow.log-model.history")):
        return ()
    from projrun.tracking.logged_models import models_of_run

    with suppress(ProjrunError):  # a hint for people, not worth a warning
        return tuple(models_of_run(session.store, found))
    return ()


def _was_interrupted(session: Session) -> bool:
    """Whether a signal was passed on to a command that then ended by itself."""
    relay = session.options.relay
    return relay is not None and relay.has_interrupted


def _settle_copy(session: Session, status: str, delivered: bool) -> Path | None:
    """Where the run's copy of the checkout is kept, if it is; reported and recorded."""
    kept = session.copy.settle(status, session.recorder.run.run_id)
    if kept is None:
        return None
    session.reporter.info(f"kept {kept.folder}: {kept.reason}")
    if delivered:
        session.recorder.tag({"projrun.source.kept": str(kept.folder)})
    return kept.folder


def _downloads(plan: Plan) -> bool:
    return any(parameter.download is not None for parameter in plan.invocation.parameters)
