"""`projrun runs list`, `show`, `diff`, `delete` and `restore`; `reap` is in `projrun.cli.active`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from projrun.cli.active.reap import reap
from projrun.cli.options import json_option, list_options, tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.records.runs_list import list_runs
from projrun.cli.rendering import print_json, print_line
from projrun.cli.views import runs as runs_view
from projrun.errors import RequestError
from projrun.running.record.lookup import find_run
from projrun.tracking.statuses import LifecycleStage, ViewType


@click.group()
def runs() -> None:
    """List, show, compare, delete and restore recorded runs; end those whose runner is gone."""


runs.add_command(reap)


@runs.command("list")
@list_options
def list_command(**values: Any) -> None:
    """List runs, newest first.

    \b
    projrun runs list --filter "metrics.rmse < 0.8 and params.alpha = '0.42'"
    """
    list_runs(values)


@runs.command("show")
@click.argument("run_id", metavar="RUN_ID")
@tracking_uri_option
@json_option
def show_run(run_id: str, tracking_uri: str | None, as_json: bool) -> None:
    """Show a run: parameters, metrics, tags and artifacts. A unique prefix of its id is enough, or `latest`."""
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        run = find_run(store, run_id)
        document = runs_view.run_document(run, store)
    if as_json:
        print_json(document)
    else:
        runs_view.print_run(document)


@runs.command("diff")
@click.argument("left", metavar="RUN_ID")
@click.argument("right", metavar="RUN_ID")
@click.option("--all", "everything", is_flag=True, help="Also show what is equal.")
@tracking_uri_option
@json_option
def compare_two_runs(
    left: str, right: str, everything: bool, tracking_uri: str | None, as_json: bool
) -> None:
    """Compare two runs. Shows source, parameters, metrics and the packages of their environments.

    \b
    projrun runs diff 3f2a 81c0
    """
    from projrun.cli.views import runs_diff as runs_diff_view
    from projrun.running.difference import compare_runs

    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        found = compare_runs(find_run(store, left), find_run(store, right), store)
    if as_json:
        print_json(runs_diff_view.difference_document(found))
    else:
        runs_diff_view.print_difference(found, everything=everything)


@runs.command("delete")
@click.argument("run_ids", nargs=-1, required=True, metavar="RUN...")
@tracking_uri_option
def delete_runs(run_ids: Sequence[str], tracking_uri: str | None) -> None:
    """Delete runs. `projrun runs restore` brings them back.

    RUN is a run's id, a unique prefix of it, or `latest`.

    \b
    projrun runs delete 3f2a 81c0
    """
    _change_stage(run_ids, tracking_uri, "active")


@runs.command("restore")
@click.argument("run_ids", nargs=-1, required=True, metavar="RUN...")
@tracking_uri_option
def restore_runs(run_ids: Sequence[str], tracking_uri: str | None) -> None:
    """Restore deleted runs.

    RUN is a run's id or a unique prefix of it. `projrun runs list --deleted` shows them.
    """
    _change_stage(run_ids, tracking_uri, "deleted")


def _change_stage(run_ids: Sequence[str], tracking_uri: str | None, before: LifecycleStage) -> None:
    """Delete active runs, or restore deleted ones; one in the other stage is an error before any is changed."""
    from projrun.tracking.life_cycle import LifeCycle
    from projrun.tracking.parts import part_of

    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        cycle = part_of(store, LifeCycle)
        view: ViewType = "ACTIVE_ONLY" if before == "active" else "DELETED_ONLY"
        found = {run.run_id: run for run in (find_run(store, run_id, view) for run_id in run_ids)}
        for run in found.values():
            if run.lifecycle_stage != before:
                raise RequestError(f"run {run.run_name} ({run.run_id}) is {run.lifecycle_stage} already")
        for run in found.values():
            if before == "active":
                cycle.delete_run(run.run_id)
            else:
                cycle.restore_run(run.run_id)
            done = "deleted" if before == "active" else "restored"
            print_line(f"{done} run {run.run_name} ({run.run_id})")
