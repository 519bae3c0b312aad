"""`projrun runs compare` and `best`: several runs beside each other, and the best of an experiment."""

from __future__ import annotations

from collections.abc import Sequence

import click

from projrun.cli.options import json_option, layout_options, tracking_uri_option
from projrun.cli.records.experiments import find_experiment
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import print_json, print_text
from projrun.cli.tables import Layout
from projrun.cli.views import runs as runs_view
from projrun.errors import RequestError
from projrun.running.record.best import best_runs
from projrun.running.record.lookup import find_run


@click.command("compare", cls=RunCommand)
@run_argument("run_ids", "RUN...", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Also show what is equal.")
@layout_options
@tracking_uri_option
@json_option
def compare_runs(
    run_ids: Sequence[str], everything: bool, tracking_uri: str | None, as_json: bool, layout: Layout
) -> None:
    """Compare parameters and metrics of several runs.

    Each has a column. `projrun runs diff` compares two in detail.

    \b
    projrun runs compare -1 -2 -3
    """
    from projrun.cli.views import runs_compare as view
    from projrun.running.difference import compared_rows

    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        found = list({run.run_id: run for run in (find_run(store, run_id) for run_id in run_ids)}.values())
    if len(found) < 2:
        raise RequestError(
            "comparing takes two runs or more", hint="for example `projrun runs compare -1 -2`"
        )
    rows = compared_rows(found)
    if as_json:
        print_json(view.comparison_document(found, rows))
    else:
        view.print_comparison(found, rows, layout, everything=everything)


@click.command("best")
@click.argument("experiment", metavar="EXPERIMENT")
@click.option("--metric", required=True, metavar="METRIC", help="The metric to order by.")
@click.option(
    "--min/--max", "smallest", default=None, help="Whether the smallest or the largest value is best."
)
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Number of runs.",
)
@click.option("--id", "only_id", is_flag=True, help="Print only ids, for `projrun rerun $(…)`.")
@layout_options
@tracking_uri_option
@json_option
def show_best(
    experiment: str,
    metric: str,
    smallest: bool | None,
    only_id: bool,
    tracking_uri: str | None,
    as_json: bool,
    layout: Layout,
) -> None:
    """Show the best run of an experiment, by a metric.

    Of the runs that finished, by the latest value; NaN is never the best.

    \b
    projrun runs best wine --metric rmse --min
    projrun rerun $(projrun runs best wine --metric accuracy --max --id)
    """
    if smallest is None:
        raise RequestError("whether small or large values are best is not given", hint="add --min or --max")
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        chosen = find_experiment(store, experiment)
        runs = best_runs(store, chosen.experiment_id, metric, smallest=smallest, count=layout.limit or 1)
    if not runs:
        raise RequestError(f"experiment {chosen.name!r} has no finished run with the metric {metric!r}")
    if as_json:
        print_json({"runs": [runs_view.summary(run, chosen.name) for run in runs]})
    elif only_id:
        print_text("\n".join(run.run_id for run in runs))
    else:
        runs_view.print_best(runs, metric, layout)
