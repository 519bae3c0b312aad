"""`projrun runs list`, `show` and `diff`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.rendering import print_json
from projrun.directories import Directories
from projrun.errors import RequestError
from projrun.settings import Settings
from projrun.tracking.runs import RunStore


@click.group()
def runs() -> None:
    """List, show and compare recorded runs."""


@runs.command("list")
@click.option(
    "--experiment-name", metavar="NAME", help="Only runs of this experiment.  [$MLFLOW_EXPERIMENT_NAME]"
)
@click.option("--experiment-id", metavar="ID", help="Only runs of this experiment.  [$MLFLOW_EXPERIMENT_ID]")
@click.option(
    "--filter", "filter_string", metavar="TEXT", default="", help='MLflow\'s filter, e.g. "metrics.rmse < 1".'
)
@click.option(
    "--order-by",
    metavar="COLUMN",
    multiple=True,
    help='For example "metrics.rmse ASC".  [default: newest first]',
)
@click.option("-n", "--max-results", default=20, show_default=True, type=click.IntRange(1, 50_000))
@tracking_uri_option
@json_option
def list_runs(
    experiment_name: str | None,
    experiment_id: str | None,
    filter_string: str,
    order_by: tuple[str, ...],
    max_results: int,
    tracking_uri: str | None,
    as_json: bool,
) -> None:
    """List runs, newest first.

    \b
    projrun runs list --filter "metrics.rmse < 0.8 and params.alpha = '0.42'"
    """
    from projrun.cli import runs_view

    options = {
        "experiment-name": experiment_name,
        "experiment-id": experiment_id,
        "tracking-uri": tracking_uri,
    }
    with _open(options) as (store, settings):
        experiments = _experiments(store, settings)
        page = store.search_runs(
            list(experiments),
            filter_string=filter_string,
            order_by=order_by or ("attributes.start_time DESC",),
            max_results=max_results,
        )
    if as_json:
        runs_view.print_list_json(page, experiments)
    else:
        runs_view.print_list(page, experiments)


@runs.command("show")
@click.argument("run_id", metavar="RUN_ID")
@tracking_uri_option
@json_option
def show_run(run_id: str, tracking_uri: str | None, as_json: bool) -> None:
    """Show a run: parameters, metrics, tags and artifacts. A unique prefix of its id is enough."""
    from projrun.cli import runs_view
    from projrun.running.record.lookup import find_run

    with _open({"tracking-uri": tracking_uri}) as (store, _):
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
    """Compare two runs: source, parameters, metrics and the packages of their environments.

    \b
    projrun runs diff 3f2a 81c0
    """
    from projrun.cli import runs_diff_view
    from projrun.running.difference import compare_runs
    from projrun.running.record.lookup import find_run

    with _open({"tracking-uri": tracking_uri}) as (store, _):
        found = compare_runs(find_run(store, left), find_run(store, right), store)
    if as_json:
        print_json(runs_diff_view.difference_document(found))
    else:
        runs_diff_view.print_difference(found, everything=everything)


@contextmanager
def _open(options: dict[str, str | None]) -> Iterator[tuple[RunStore, Settings]]:
    from projrun.running.record.lookup import opened_store

    directories = Directories.locate(os.environ)
    settings = Settings(options, os.environ, directories.config)
    with opened_store(settings, directories, os.environ, Path.cwd(), _warn) as store:
        yield store, settings


def _warn(text: str) -> None:
    click.echo(f"projrun: warning: {text}", err=True)


def _experiments(store: RunStore, settings: Settings) -> dict[str, str]:
    """The names of the experiments to list, by id."""
    chosen = settings.first_of("experiment-name", "experiment-id")
    if chosen is None:
        return {found.experiment_id: found.name for found in store.search_experiments().experiments}
    option, setting = chosen
    if option == "experiment-id":
        return {setting.value: store.get_experiment(setting.value).name}
    found_by_name = store.get_experiment_by_name(setting.value)
    if found_by_name is None:
        raise RequestError(f"{setting.origin}: experiment {setting.value!r} not found")
    return {found_by_name.experiment_id: found_by_name.name}
