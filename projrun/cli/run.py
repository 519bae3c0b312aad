"""`projrun run`: plan, execute, report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from projrun.cli.rendering import duration_text, print_json, silence_stdout
from projrun.cli.reporter import CommandLineReporter
from projrun.cli.request import build_request
from projrun.errors import ProjrunError
from projrun.execution.supervision.signals import SignalRelay
from projrun.running.record.parent import PARENT_RUN_ID
from projrun.running.request import Context, RunRequest, context_of
from projrun.sources.local import asked_ahead
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from projrun.reporting import Activity
    from projrun.running.plan import Plan
    from projrun.running.runner import Result
    from projrun.running.session import Session
    from projrun.sources.checkout import Checkout
    from projrun.sources.git.work_tree import WorkTreeInquiry

_MOST_MODELS = 5
"""Models of a run whose lines are printed."""
_VERBS = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "was killed"}


def run_line(values: Mapping[str, Any]) -> int:
    """Do what `projrun run` does, from the values of its options by keyword."""
    if values["dry_run"]:
        from projrun.cli.plan import show_plan

        return show_plan(values)
    if values["detach"]:
        from projrun.cli.active.detach import start_detached

        return start_detached(values)
    request = build_request(values)
    context = context_of(request, os.environ)
    quiet = context.settings.enabled("quiet")
    return carry_out(request, context, quiet=quiet, as_json=values["as_json"], keyboard=True)


def carry_out(
    request: RunRequest,
    context: Context,
    *,
    quiet: bool,
    as_json: bool = False,
    keyboard: bool = False,
    lease: int | None = None,
    on_record: Callable[[Session], None] | None = None,
) -> int:
    """Run what is asked for, and return the exit code. `lease`: see `projrun.running.session.Options`."""
    reporter = reporter_of(request, context, quiet=quiet)
    with SignalRelay() as relay, heard(reporter):
        plan = _plan(request, context, relay, reporter.activity)
        if plan.checkout.cached is not None and not plan.checkout.notes:  # they name the version themselves
            reporter.info(source_line(plan.checkout))
        reporter.tell(plan.checkout.notes, plan.warnings)
        from projrun.running.runner import execute
        from projrun.running.session import Options

        options = Options(relay, as_json, on_record, lease, keyboard)
        result = execute(plan, reporter, options)
    report(result, plan, reporter)
    return print_result(result, result_document(result) if as_json else None)


def reporter_of(request: RunRequest, context: Context, *, quiet: bool) -> CommandLineReporter:
    """The reporter that the surroundings ask for."""
    settings, environ = context.settings, context.environ
    junit = settings.get("junit-xml")
    if junit is None and not {"GITHUB_ACTIONS", "GITLAB_CI"} & environ.keys():
        return CommandLineReporter(quiet=quiet)
    from projrun.cli.ci.reporter import CiReporter

    wanted = not settings.enabled("no-ci") and settings.is_true(settings.text("ci-output", "on"))
    # What a nested run prints is part of the outer one's output.
    ci = wanted and PARENT_RUN_ID not in environ
    return CiReporter(request, environ, quiet=quiet, ci=ci, junit=junit and junit.value)


@contextmanager
def heard(reporter: CommandLineReporter) -> Iterator[None]:
    """The reporter hears of an error that ends the command."""
    try:
        yield
    except ProjrunError as error:
        reporter.failed(error)
        raise


def report(result: Result, plan: Plan, reporter: CommandLineReporter) -> None:
    """Say how the run ended."""
    for line in result_lines(result, plan):
        reporter.info(line)
    reporter.ended(plan, result, _results(result, plan))


def _plan(request: RunRequest, context: Context, relay: SignalRelay, activity: Activity) -> Plan:
    """`make_plan`; git is asked about a local folder while the rest of the program is imported."""
    asking: AbstractContextManager[WorkTreeInquiry | None] = nullcontext()
    if request.version is None:
        asking = asked_ahead(request.uri, request.caller_directory, context.environ, relay.postponed)
    with asking as inquiry:
        if inquiry is not None:
            inquiry.proceed()
        from projrun.running.plan import make_plan

        if inquiry is not None:
            inquiry.proceed()
        import projrun.running.runner  # noqa: F401 - what follows the plan

        return make_plan(request, context, activity=activity, inquiry=inquiry)


def print_result(result: Result, document: Mapping[str, object] | None) -> int:
    """Print what `--json` asks for; the exit code of the run."""
    if document is not None:
        try:
            print_json(document)
        except BrokenPipeError:  # which changes nothing for the run
            silence_stdout()
    return result.outcome.exit_code


def source_line(checkout: Checkout) -> str:
    """The project, and the commit or the archive that its version came to."""
    version = checkout.commit or (checkout.digest and f"sha256:{checkout.digest}")
    place = f"{checkout.uri} at {version}" if version else checkout.uri
    branch = f" ({checkout.branch})" if checkout.branch else ""
    return f"{place}{branch}{', with uncommitted changes' if checkout.dirty else ''}"


def result_lines(result: Result, plan: Plan) -> list[str]:
    """The outcome, and where the results are."""
    run = result.run
    line = f"run {run.run_name} {_VERBS.get(run.status, run.status)} after {duration_text(run.duration)}"
    if result.outcome.reason:
        line += f": {result.outcome.reason}"
    lines = [line, f"results: {_results(result, plan)}"]
    if result.artifact_folder is not None:
        lines.append(f"artifacts: {result.artifact_folder}")
    return [*lines, *_model_lines(result, plan)]


def _model_lines(result: Result, plan: Plan) -> list[str]:
    """The commands that serve the models that it logged."""
    if not result.models or plan.tracking.journal == "offline":  # the store does not have them yet
        return []
    from shlex import quote

    uris = (quote(f"runs:/{result.run.run_id}/{name}") for name in result.models[-_MOST_MODELS:])
    return [f"model: projrun models serve -m {uri}{_of_store(result, plan)}" for uri in uris]


def _of_store(result: Result, plan: Plan) -> str:
    """The option that a command about the run needs where its store is not the embedded one."""
    embedded = result.store == f"sqlite:///{plan.directories.database}"
    return "" if embedded else f" --tracking-uri {result.store}"


def _results(result: Result, plan: Plan) -> str:
    """The server's page of the run, or the command that shows it."""
    run = result.run
    if plan.tracking.journal == "offline":
        return f"on this machine; `projrun sync {run.run_id[:8]}` delivers them to {result.store}"
    if not result.store.startswith("sqlite:"):
        return f"{result.store.rstrip('/')}/#/experiments/{run.experiment_id}/runs/{run.run_id}"
    return f"projrun runs show {run.run_id}{_of_store(result, plan)}"


def result_document(result: Result) -> dict[str, object]:
    """The keys of `projrun run --json`; a contract test pins them."""
    run = result.run
    return {
        "run_id": run.run_id,
        "run_name": run.run_name,
        "experiment_id": run.experiment_id,
        "status": run.status,
        "exit_code": result.outcome.exit_code,
        "reason": result.outcome.reason,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "artifact_uri": run.artifact_uri,
        "artifact_folder": None if result.artifact_folder is None else str(result.artifact_folder),
        "tracking_uri": result.store,
        "checkout": None if result.kept_checkout is None else str(result.kept_checkout),
        "log": str(result.kept_log or result.log_path),
        "models": [f"runs:/{run.run_id}/{name}" for name in result.models],
    }
