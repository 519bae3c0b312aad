"""Runs, experiments and artifacts of the store that the line names, where it answers soon."""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.shell_completion import CompletionItem

from projrun.cli.completing.stores import asked
from projrun.running.record.lookup import LATEST, find_run
from projrun.tracking.runs import RunStore
from projrun.tracking.statuses import ViewType

_MOST = 100


def runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids, the newest first, with name and status; of `restore`, deleted ones."""
    deleted = ctx.info_name == "restore"
    found = asked(
        ctx, lambda store: [*_runs(store, "DELETED_ONLY" if deleted else "ACTIVE_ONLY", incomplete)]
    )
    return found if deleted else [*found, CompletionItem(LATEST, help="the newest run")]


def experiments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names; of `restore`, those of deleted ones."""
    view: ViewType = "DELETED_ONLY" if ctx.info_name == "restore" else "ACTIVE_ONLY"
    return asked(
        ctx, lambda store: [each.name for each in store.search_experiments(view_type=view).experiments]
    )


def experiment_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids with their names."""
    return asked(
        ctx,
        lambda store: [
            CompletionItem(each.experiment_id, help=each.name)
            for each in store.search_experiments().experiments
        ],
    )


def artifacts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Paths of the run that stands before them."""
    run_id = ctx.params.get("run_id")
    return asked(ctx, lambda store: [*_artifacts(store, str(run_id), incomplete)]) if run_id else []


def _runs(store: RunStore, view: ViewType, incomplete: str) -> Iterator[CompletionItem]:
    listed = store.search_experiments(view_type="ALL" if view == "DELETED_ONLY" else view).experiments
    prefix = incomplete if incomplete.isascii() and incomplete.isalnum() else ""
    found = store.search_runs(
        [each.experiment_id for each in listed],
        filter_string=f"attributes.run_id LIKE '{prefix}%'" if prefix else "",
        view_type=view, max_results=_MOST, order_by=("attributes.start_time DESC",),
    )  # fmt: skip
    for run in found.runs:
        yield CompletionItem(run.run_id, help=f"{run.run_name} {run.status}")


def _artifacts(store: RunStore, run_id: str, incomplete: str) -> Iterator[str]:
    repository = store.artifacts(find_run(store, run_id).artifact_uri)
    for file in repository.list(incomplete.rpartition("/")[0]):
        yield f"{file.path}{'/' if file.is_dir else ''}"
