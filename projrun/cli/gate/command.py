"""`projrun gate`: ends with 6 where a run is worse than it may be."""

from __future__ import annotations

from collections.abc import Sequence

import click

from projrun.cli.gate.judging import judge
from projrun.cli.gate.rules import Rule, parse_rule
from projrun.cli.gate.view import append_to_summary, gate_document, print_gate
from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import print_json
from projrun.errors import RequestError
from projrun.running.record.best import best_runs
from projrun.running.record.lookup import find_run
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

FAILED = 6
"""The exit code of a gate that failed; that of a mistake is 2."""
_BEST = "best"
_TAG = "tag:"


@click.command("gate", cls=RunCommand)
@run_argument()
@click.option(
    "--baseline", metavar="RUN", help="Run to compare with; also tag:KEY=VALUE, tag:KEY, or `best`."
)
@click.option("--fail-if", "rules", metavar="RULE", multiple=True, required=True, help="May be repeated.")
@tracking_uri_option
@json_option
def gate(
    run_id: str, baseline: str | None, rules: Sequence[str], tracking_uri: str | None, as_json: bool
) -> int:
    """Fail (exit code 6) if a run is worse than it may be.

    A RULE compares metrics.NAME and params.NAME with numbers, with `baseline` (the same of the baseline run) or
    with baseline.metrics.NAME; `+ - * / ( ) and or not` join them. NaN fails. Names with other characters than
    letters, digits, `_` and `.` are in backticks.

    The baseline is a run, the newest finished one of the experiment with a tag, or `best`: the best finished one by
    the first metric of the rules. On GitHub Actions the table is added to the summary of the job.

    \b
    projrun gate latest --fail-if 'metrics.rmse > 0.8'
    projrun gate latest --baseline best --fail-if 'metrics.rmse > baseline * 1.02'
    projrun gate -1 --baseline tag:release=prod --fail-if 'metrics.r2 < baseline'
    """
    parsed = [parse_rule(text) for text in rules]
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        run = find_run(store, run_id)
        result = judge(run, None if baseline is None else _baseline(store, run, baseline, parsed), parsed)
    append_to_summary(result)
    if as_json:
        print_json(gate_document(result))
    else:
        print_gate(result)
    return 0 if result.passed else FAILED


def _baseline(store: RunStore, run: Run, text: str, rules: Sequence[Rule]) -> Run:
    if text == _BEST:
        return _best(store, run, rules)
    return _tagged(store, run, text.removeprefix(_TAG)) if text.startswith(_TAG) else find_run(store, text)


def _best(store: RunStore, run: Run, rules: Sequence[Rule]) -> Run:
    leader = next((rule.leader for rule in rules if rule.leader is not None), None)
    if leader is None:
        raise RequestError(
            "--baseline best: no rule says whether small or large values are good",
            hint="compare a metric with < or >, or name the run",
        )
    metric, smallest = leader
    found = best_runs(store, run.experiment_id, metric, smallest=smallest, but=run.run_id)
    if not found:
        raise RequestError(
            f"--baseline best: no other finished run of the experiment has the metric {metric!r}"
        )
    return found[0]


def _tagged(store: RunStore, run: Run, text: str) -> Run:
    key, equals, value = text.partition("=")
    quote = "'" if "'" not in value else '"'
    if not key or "`" in key or quote in value:
        raise RequestError(f"--baseline tag:{text}: is not a tag", hint="give tag:KEY=VALUE or tag:KEY")
    condition = f"tags.`{key}` = {quote}{value}{quote}" if equals else f"tags.`{key}` LIKE '%'"
    page = store.search_runs(
        [run.experiment_id],
        filter_string=f"attributes.status = 'FINISHED' and {condition}",
        order_by=("attributes.start_time DESC",),
        max_results=2,
    )
    others = [found for found in page.runs if found.run_id != run.run_id]
    if not others:
        raise RequestError(
            f"--baseline tag:{text}: no other finished run of the experiment has that tag",
            hint="`projrun runs tag RUN KEY=VALUE` sets one",
        )
    return others[0]
