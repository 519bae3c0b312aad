"""The attempts of one run: a command that failed is started again, in the same environment and the same record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from projrun.errors import ProjrunError
from projrun.execution.protocol import Outcome
from projrun.execution.supervision.leftovers import end_left_running
from projrun.running.limits import Retry, RunLimits
from projrun.running.record.delivery import deliver_log
from projrun.running.session import Session, collect_points
from projrun.running.waiting import Wait
from projrun.settings.quantities import duration_text

ATTEMPT = "PROJRUN_ATTEMPT"
"""The variable with the number of the attempt, for the command."""
ATTEMPTS = "projrun.attempts"
"""The tag with how many there were."""


Attempt = Callable[[Session, Mapping[str, str]], Outcome]
"""Runs the command once; takes variables for it."""


def attempted(session: Session, limits: RunLimits, attempt: Attempt) -> Outcome:
    """The outcome of the last attempt, with the GPUs that the run asks for.

    What `attempt` raises ends the run: something failed before the command began, or a signal came.
    """
    if limits.gpus is None:
        return _repeated(session, limits.retry, attempt)
    from projrun.running.gpus import claimed

    with claimed(session, limits.gpus) as claim:
        return _repeated(session._replace(gpus=claim), limits.retry, attempt)


def _repeated(session: Session, retry: Retry | None, attempt: Attempt) -> Outcome:
    if retry is None:
        return attempt(session, {})
    most = retry.times + 1
    for number in range(1, most + 1):
        session.recorder.tag({ATTEMPTS: str(number)})
        outcome = attempt(session, {ATTEMPT: str(number)})
        if number == most or not retry.after(outcome) or _was_interrupted(session):
            break
        for warning in outcome.warnings:
            session.reporter.warning(warning)
        # The next attempt starts its own; and while there is none, no guard would end these with the runner.
        end_left_running(session.lease.mark.origin_id, session.plan.grace_period)
        with _bounded(session):
            _run_again(session)
        then = f"attempt {number + 1} of {most} in {duration_text(retry.delay)}"
        session.reporter.info(f"attempt {number} of {most} failed: {outcome.reason}; {then}")
        with Wait(session) as wait:
            wait.sleep(retry.delay)
        # Only now: where the waiting ends the run, this was the last attempt, and its log is the run's.
        with _bounded(session):
            collect_points(session)
            deliver_log(
                session.lease,
                session.recorder,
                session.plan.directories.logs,
                session.reporter.warning,
                f"logs/output.{number}.log",
            )
    return outcome


def _was_interrupted(session: Session) -> bool:
    """Whether a signal came after the command's end, too late to change its outcome; another one is raised."""
    relay = session.options.relay
    if relay is not None:
        relay.raise_waiting()
    return relay is not None and relay.has_interrupted


@contextmanager
def _bounded(session: Session) -> Iterator[None]:
    """A server that is down does not hold up the next attempt."""
    session.deadline.begin(session.plan.end_timeout)
    try:
        yield
    finally:
        session.deadline.lift()


def _run_again(session: Session) -> None:
    """The client in a script that failed may have ended the run: what it said is not said of the next attempt."""
    run_id = session.recorder.run.run_id
    try:
        if session.store.get_run(run_id).status != "RUNNING":
            session.store.update_run(run_id, status="RUNNING")
    except (ProjrunError, OSError) as error:
        session.reporter.warning(f"the run cannot be recorded as RUNNING again: {error}")
