"""`projrun experiments`: listing, creating, renaming, deleting and restoring experiments, in any tracking store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from projrun.cli.options import json_option, layout_options, limit_option, tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.rendering import print_line
from projrun.cli.tables import Layout
from projrun.cli.views import experiments as experiments_view
from projrun.errors import InvalidValueError, NotFoundError, RequestError
from projrun.tracking.entities import Experiment
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore

_several = click.argument("names", nargs=-1, required=True, metavar="EXPERIMENT...")


@click.group()
def experiments() -> None:
    """List, show, create, rename, delete and restore experiments.

    EXPERIMENT is an id or a name; an id takes precedence.
    """


@experiments.command("list")
@click.option("--deleted", is_flag=True, help="Only deleted experiments.")
@click.option(
    "--filter", "filter_string", metavar="TEXT", default="", help="MLflow's filter: \"name LIKE 'a%'\"."
)
@limit_option(50_000)
@layout_options
@tracking_uri_option
@json_option
def list_experiments(
    deleted: bool,
    filter_string: str,
    max_results: int,
    tracking_uri: str | None,
    as_json: bool,
    layout: Layout,
) -> None:
    """List experiments, newest first."""
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        page = store.search_experiments(
            view_type="DELETED_ONLY" if deleted else "ACTIVE_ONLY",
            filter_string=filter_string,
            max_results=max_results,
        )
    experiments_view.print_list(page, layout, as_json=as_json)


@experiments.command("show")
@click.argument("name", metavar="EXPERIMENT")
@tracking_uri_option
@json_option
def show_experiment(name: str, tracking_uri: str | None, as_json: bool) -> None:
    """Show an experiment: its artifacts' place, times and tags."""
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        found = find_experiment(store, name)
    experiments_view.print_one(found, as_json=as_json)


@experiments.command("create")
@click.argument("name", metavar="NAME")
@click.option("-l", "--artifact-location", metavar="URI", default="", help="Where its runs keep artifacts.")
@tracking_uri_option
@json_option
def create_experiment(name: str, artifact_location: str, tracking_uri: str | None, as_json: bool) -> None:
    """Create an experiment."""
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        found = store.get_experiment(store.create_experiment(name, artifact_location))
    if as_json:
        experiments_view.print_one(found, as_json=True)
    else:
        print_line(f"created experiment {_name(found)}")


@experiments.command("rename")
@click.argument("name", metavar="EXPERIMENT")
@click.argument("new_name", metavar="NEW_NAME")
@tracking_uri_option
def rename_experiment(name: str, new_name: str, tracking_uri: str | None) -> None:
    """Give an experiment another name."""
    with _life_cycle(tracking_uri) as (store, cycle):
        found = find_experiment(store, name)
        cycle.rename_experiment(found.experiment_id, new_name)
    print_line(f"renamed experiment {_name(found)} to {new_name}")


@experiments.command("delete")
@_several
@tracking_uri_option
def delete_experiments(names: Sequence[str], tracking_uri: str | None) -> None:
    """Delete experiments with their runs. `projrun experiments restore` brings them back."""
    with _life_cycle(tracking_uri) as (store, cycle):
        for found in _in_stage(store, names, "active"):
            cycle.delete_experiment(found.experiment_id)
            print_line(f"deleted experiment {_name(found)} with its runs")


@experiments.command("restore")
@_several
@tracking_uri_option
def restore_experiments(names: Sequence[str], tracking_uri: str | None) -> None:
    """Restore deleted experiments with all their runs."""
    with _life_cycle(tracking_uri) as (store, cycle):
        for found in _in_stage(store, names, "deleted"):
            cycle.restore_experiment(found.experiment_id)
            print_line(f"restored experiment {_name(found)} with its runs")


def find_experiment(store: RunStore, name: str) -> Experiment:
    """The experiment with that id, else with that name, deleted ones too; RequestError if there is none."""
    found = _by_id(store, name) or store.get_experiment_by_name(name)
    if found is None:
        raise RequestError(
            f"the tracking store {store.uri} has no experiment {name!r}",
            hint="see `projrun experiments list`",
        )
    return found


def _by_id(store: RunStore, text: str) -> Experiment | None:
    if not (text.isascii() and text.isdigit()):
        return None
    try:
        return store.get_experiment(text)
    except (NotFoundError, InvalidValueError):
        return None


def _in_stage(store: RunStore, names: Sequence[str], stage: str) -> list[Experiment]:
    """The experiments, each once. RequestError for one that is in the other stage, before any is changed."""
    found = list(dict.fromkeys(find_experiment(store, name) for name in names))
    for experiment in found:
        if experiment.lifecycle_stage != stage:
            raise RequestError(f"experiment {_name(experiment)} is {experiment.lifecycle_stage} already")
    return found


@contextmanager
def _life_cycle(tracking_uri: str | None) -> Iterator[tuple[RunStore, LifeCycle]]:
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        yield store, part_of(store, LifeCycle)


def _name(experiment: Experiment) -> str:
    return f"{experiment.name} (id {experiment.experiment_id})"
