"""`projrun rerun`: repeat a recorded run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from projrun.cli.options import rerun_options
from projrun.cli.records.run_names import RunCommand
from projrun.cli.rendering import print_json, print_text
from projrun.cli.reporter import CommandLineReporter
from projrun.cli.request import build_request
from projrun.cli.run import heard, print_result, report, reporter_of, result_document, source_line
from projrun.execution.supervision.signals import SignalRelay
from projrun.running.request import context_of
from projrun.running.rerun.differences import Difference
from projrun.running.rerun.planning import PlannedRepetition, compare_environments, plan_repetition
from projrun.running.rerun.repetition import Order, Repetition, repetition
from projrun.running.runner import execute
from projrun.running.session import Options
from projrun.sources.fetch import discard


@click.command(cls=RunCommand)
@rerun_options
def rerun(**values: Any) -> int:
    """Repeat a run: its commit and uncommitted changes, parameters, entry point and environment.

    RUN is an id, a prefix of one, a name, `latest` or `-2`, in the tracking store of --tracking-uri. The new run is
    recorded there too, in the same experiment. Options override the recorded values. Prints what differs from the
    recorded run before the start.

    \b
    projrun rerun 3f2a
    projrun rerun 3f2a -P alpha=0.5 --dry-run
    """
    order = _order(values)
    quiet = order.context.settings.enabled("quiet")
    reporter = reporter_of(order.request, order.context, quiet=quiet)
    with SignalRelay() as relay, heard(reporter), repetition(order, reporter.warning) as found:
        if values["dry_run"]:
            return _show(found, reporter, as_json=values["as_json"])
        planned = plan_repetition(found, activity=reporter.activity)
        _tell(found, planned, reporter)
        options = Options(relay, forward_stdout_to_stderr=values["as_json"], keyboard=True)
        result = execute(planned.plan, reporter, options)
        after = compare_environments(found, result, reporter.warning)
    for difference in after:
        reporter.warning(f"differs: {difference.text}")
    report(result, planned.plan, reporter)
    reporter.info(f"compare: projrun runs diff {found.record.run_id} {result.run.run_id}")
    document = {**result_document(result), **_document(found, (*planned.differences, *after))}
    return print_result(result, document if values["as_json"] else None)


def _order(values: Mapping[str, Any]) -> Order:
    request = build_request({**values, "uri": "", "version": None}, "rerun")
    return Order(
        values["repeated"],
        request,
        context_of(request, os.environ),
        source=values["source"],
        entry_point=values["entry_point"],
        unlocked=values["unlocked"],
        without_patch=values["without_patch"],
        changed_source=values["changed_source"],
    )


def _tell(found: Repetition, planned: PlannedRepetition, reporter: CommandLineReporter) -> None:
    plan = planned.plan
    reporter.info(f"repeating {found.record.shown}: {source_line(plan.checkout)}")
    reporter.tell(plan.checkout.notes, plan.warnings)
    for difference in planned.differences:
        tell = reporter.warning if difference.serious else reporter.info
        tell(f"differs: {difference.text}")


def _show(found: Repetition, reporter: CommandLineReporter, *, as_json: bool) -> int:
    from projrun.cli.views.plan import plan_document, plan_text

    planned = plan_repetition(found, own_copy=False)
    try:
        document = _with_names(plan_document(planned.plan), found)
        if as_json:
            print_json({**document, **_document(found, planned.differences)})
        else:
            print_text(plan_text(document))
        _tell(found, planned, reporter)
    finally:
        discard(planned.plan.checkout)
    return 0


def _with_names(value: Any, found: Repetition) -> Any:
    """The recorded lock by its name: its file is gone when the plan is read."""
    if isinstance(value, dict):
        return {key: _with_names(one, found) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_names(one, found) for one in value]
    lock = found.files.lock
    if lock is None or not isinstance(value, str):
        return value
    return value.replace(str(lock), f"environment/{lock.name} of {found.record.shown}")


def _document(found: Repetition, differences: tuple[Difference, ...]) -> dict[str, object]:
    """The keys that `--json` has beyond those of `run` and `plan`; a contract test pins them."""
    return {
        "rerun_of": found.record.run_id,
        "differences": [
            {"what": one.what, "recorded": one.recorded, "now": one.now, "note": one.note}
            for one in differences
        ],
    }
