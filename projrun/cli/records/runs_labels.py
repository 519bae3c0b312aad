"""`projrun runs tag`, `describe` and `rename`: what people call a run afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import click

from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.records.model_names import parse_tags
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import print_json, print_line
from projrun.errors import RequestError
from projrun.running.record.lookup import find_run
from projrun.tracking.entities import Run, Tag
from projrun.tracking.runs import RunStore

DESCRIPTION = "mlflow.note.content"


@click.command("tag", cls=RunCommand)
@run_argument()
@click.argument("assignments", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--remove", "removed", multiple=True, metavar="TAG", help="Tag to remove.")
@tracking_uri_option
@json_option
def tag_run(
    run_id: str, assignments: Sequence[str], removed: Sequence[str], tracking_uri: str | None, as_json: bool
) -> None:
    """Set tags of a run, or remove them.

    \b
    projrun runs tag latest team=red release=prod
    projrun runs tag latest --remove release
    """
    tags = parse_tags(assignments)
    if not tags and not removed:
        raise RequestError("no tag is given", hint="for example `projrun runs tag latest team=red`")
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        run = find_run(store, run_id)
        for key in removed:
            if run.tag(key) is None:
                raise RequestError(f"run {run.run_name} ({run.run_id}) has no tag {key!r}")
        if tags:
            store.log_batch(run.run_id, tags=tags)
        for key in removed:
            store.delete_tag(run.run_id, key)
        _tell(store, run, "tagged", as_json=as_json)


@click.command("describe", cls=RunCommand)
@run_argument()
@click.argument("text", metavar="TEXT")
@tracking_uri_option
@json_option
def describe_run(run_id: str, text: str, tracking_uri: str | None, as_json: bool) -> None:
    """Say what a run was for. TEXT replaces its description, an empty one removes it.

    \b
    projrun runs describe latest "Twice the learning rate"
    """
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        run = find_run(store, run_id)
        if text:
            store.set_tag(run.run_id, Tag(DESCRIPTION, text))
        elif run.tag(DESCRIPTION) is not None:
            store.delete_tag(run.run_id, DESCRIPTION)
        _tell(store, run, "described", as_json=as_json)


@click.command("rename", cls=RunCommand)
@run_argument()
@click.argument("new_name", metavar="NEW_NAME")
@tracking_uri_option
@json_option
def rename_run(run_id: str, new_name: str, tracking_uri: str | None, as_json: bool) -> None:
    """Give a run another name."""
    if not new_name.strip():
        raise RequestError("the new name is empty")
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        run = find_run(store, run_id)
        store.update_run(run.run_id, run_name=new_name)
        _tell(store, run, "renamed", as_json=as_json)


def _tell(store: RunStore, before: Run, done: str, *, as_json: bool) -> None:
    run = store.get_run(before.run_id)
    if as_json:
        tags = {tag.key: tag.value for tag in run.tags}
        print_json({"run_id": run.run_id, "run_name": run.run_name, "tags": tags})
    elif run.run_name != before.run_name:
        print_line(f"{done} run {before.run_name} ({run.run_id}) to {run.run_name}")
    else:
        print_line(f"{done} run {run.run_name} ({run.run_id})")
