"""`projrun run`: plan, execute, report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from projrun.cli.rendering import print_json, silence_stdout
from projrun.cli.reporter import CommandLineReporter
from projrun.cli.request import build_request
from projrun.cli.run_view import result_document, result_lines, source_line
from projrun.execution.supervision.signals import SignalRelay
from projrun.running.plan import Plan, make_plan
from projrun.running.request import Context, RunRequest, context_of
from projrun.running.runner import Result, execute
from projrun.running.session import Options


def run_line(values: Mapping[str, Any]) -> int:
    """Do what `projrun run` does, from the values of its options by keyword."""
    if values["dry_run"]:
        from projrun.cli.plan import show_plan

        return show_plan(values)
    request = build_request(values)
    context = context_of(request, os.environ)
    return carry_out(request, context, quiet=context.settings.enabled("quiet"), as_json=values["as_json"])


def carry_out(request: RunRequest, context: Context, *, quiet: bool, as_json: bool = False) -> int:
    """Run what is asked for, and return the exit code."""
    reporter = CommandLineReporter(quiet=quiet)
    with SignalRelay() as relay:
        plan = make_plan(request, context, activity=reporter.activity)
        _tell(plan, reporter)
        result = execute(plan, reporter, Options(relay, forward_stdout_to_stderr=as_json))
    return _report(result, plan, reporter, as_json=as_json)


def _tell(plan: Plan, reporter: CommandLineReporter) -> None:
    if plan.checkout.cached is not None and not plan.notes:  # they name the version themselves
        reporter.info(source_line(plan.checkout))
    for note in plan.notes:
        reporter.info(note)
    for warning in plan.warnings:
        reporter.warning(warning)


def _report(result: Result, plan: Plan, reporter: CommandLineReporter, *, as_json: bool) -> int:
    for line in result_lines(result, plan):
        reporter.info(line)
    if as_json:
        try:
            print_json(result_document(result))
        except BrokenPipeError:  # the exit code is still the project's
            silence_stdout()
    return result.outcome.exit_code
