"""`projrun runs list`, `show`, `diff`; `delete` and `restore` are in `runs_stage`, `reap` in `projrun.cli.active`."""

from __future__ import annotations

from typing import Any

import click

from projrun.cli.active.reap import reap
from projrun.cli.options import json_option, list_options, tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.records.runs_compare import compare_runs, show_best
from projrun.cli.records.runs_labels import describe_run, rename_run, tag_run
from projrun.cli.records.runs_list import list_runs
from projrun.cli.records.runs_metrics import show_metrics
from projrun.cli.records.runs_stage import delete_runs, restore_runs
from projrun.cli.rendering import print_json, print_text
from projrun.cli.views import runs as runs_view
from projrun.running.record.lookup import find_run


@click.group()
def runs() -> None:
    """List, show, compare, tag, delete and restore recorded runs; end those whose runner is gone."""


for command in (
    reap, delete_runs, restore_runs, show_metrics, compare_runs, show_best, tag_run, describe_run, rename_run,
):  # fmt: skip
    runs.add_command(command)


@runs.command("list")
@list_options
def list_command(**values: Any) -> None:
    """List runs, newest first.

    \b
    projrun runs list --filter "metrics.rmse < 0.8 and params.alpha = '0.42'"
    """
    list_runs(values)


@runs.command("show", cls=RunCommand)
@run_argument()
@tracking_uri_option
@json_option
def show_run(run_id: str, tracking_uri: str | None, as_json: bool) -> None:
    """Show a run: parameters, metrics, tags and artifacts.

    RUN is an id or a unique prefix of one, a unique name, `latest` or `-1` for the last run, `-2` for the one before.

    \b
    projrun runs show latest
    projrun runs show -2
    """
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        run = find_run(store, run_id)
        document = runs_view.run_document(run, store)
    if as_json:
        print_json(document)
    else:
        runs_view.print_run(document)


@runs.command("diff", cls=RunCommand)
@run_argument("left")
@run_argument("right")
@click.option("--all", "everything", is_flag=True, help="Also show what is equal.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "md", "json"]),
    default="table",
    show_default=True,
    help="md: Markdown, for a comment on a merge request.",
)
@tracking_uri_option
@json_option
def compare_two_runs(
    left: str, right: str, everything: bool, form: str, tracking_uri: str | None, as_json: bool
) -> None:
    """Compare two runs. Shows source, parameters, metrics and the packages of their environments.

    \b
    projrun runs diff 3f2a 81c0
    projrun runs diff -2 -1 --format md
    """
    from projrun.cli.views import runs_diff as runs_diff_view
    from projrun.running.difference import compare_runs as difference_of

    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        found = difference_of(find_run(store, left), find_run(store, right), store)
    if as_json or form == "json":
        print_json(runs_diff_view.difference_document(found))
    elif form == "md":
        print_text(runs_diff_view.markdown(found, everything=everything))
    else:
        runs_diff_view.print_difference(found, everything=everything)
