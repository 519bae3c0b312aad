"""`projrun runs delete` and `restore`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import click

from projrun.cli.asking import ensure_agreed
from projrun.cli.collecting.purging import remove_for_good
from projrun.cli.mistakes import asked_wrongly
from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.quantities import count_text
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import print_json, print_line
from projrun.cli.server.opening import own_store
from projrun.errors import RequestError
from projrun.running.record.lookup import find_run
from projrun.tracking.entities import Run
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.purge import Purge
from projrun.tracking.runs import RunStore
from projrun.tracking.statuses import LifecycleStage, ViewType

_some_runs = run_argument("run_ids", "RUN...", nargs=-1, required=True)

_OF_A_SERVER = (
    "without --permanently they are deleted; `projrun gc`, where the server's store is, removes them"
)


@click.command("delete", cls=RunCommand)
@_some_runs
@click.option("--permanently", is_flag=True, help="Remove them and their artifacts; there is no way back.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask; needed with --permanently off a terminal.")
@tracking_uri_option
@json_option
def delete_runs(
    run_ids: Sequence[str], permanently: bool, yes: bool, tracking_uri: str | None, as_json: bool
) -> None:
    """Delete runs. `projrun runs restore` brings them back, until `projrun gc` removes them.

    RUN is an id, a prefix of one, a name, `latest` or `-2`. With --permanently, it may be a run that is deleted
    already, and the store must be within reach: servers remove nothing for good.

    \b
    projrun runs delete 3f2a 81c0
    projrun runs delete latest --permanently
    """
    if permanently:
        removed = _remove(run_ids, tracking_uri, yes=yes)
        _tell("removed", removed, as_json=as_json)
    else:
        _change_stage(run_ids, tracking_uri, "active", as_json=as_json)


@click.command("restore", cls=RunCommand)
@_some_runs
@tracking_uri_option
@json_option
def restore_runs(run_ids: Sequence[str], tracking_uri: str | None, as_json: bool) -> None:
    """Restore deleted runs.

    RUN is an id, a prefix of one, a name or `-1`. `projrun runs list --deleted` shows them.
    """
    _change_stage(run_ids, tracking_uri, "deleted", as_json=as_json)


def _change_stage(
    run_ids: Sequence[str], tracking_uri: str | None, before: LifecycleStage, *, as_json: bool
) -> None:
    """Delete active runs, or restore deleted ones; one in the other stage is an error before any is changed."""
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        cycle = part_of(store, LifeCycle)
        found = _found(store, run_ids, "ACTIVE_ONLY" if before == "active" else "DELETED_ONLY")
        for run in found:
            if run.lifecycle_stage != before:
                raise RequestError(f"run {run.run_name} ({run.run_id}) is {run.lifecycle_stage} already")
        change: Callable[[str], None] = cycle.delete_run if before == "active" else cycle.restore_run
        for run in found:
            change(run.run_id)
            if not as_json:
                _tell("deleted" if before == "active" else "restored", (run,), as_json=False)
    if as_json:
        _tell("deleted" if before == "active" else "restored", found, as_json=True)


def _remove(run_ids: Sequence[str], tracking_uri: str | None, *, yes: bool) -> list[Run]:
    """Delete runs, and remove them at once; what is cut short is left to `projrun gc`."""
    with own_store({"tracking_uri": tracking_uri}, _OF_A_SERVER) as store, asked_wrongly():
        cycle, purge = part_of(store, LifeCycle), part_of(store, Purge)
        found = _found(store, run_ids, "ALL")
        for run in found:
            if run.status in ("RUNNING", "SCHEDULED"):
                raise RequestError(
                    f"run {run.run_name} ({run.run_id}) is {run.status}",
                    hint=f"`projrun cancel {run.run_id}` ends it; `projrun runs reap` ends those whose runner is gone",
                )
        named = ", ".join(f"{run.run_name} ({run.run_id})" for run in found)
        question = f"Remove {count_text(len(found), 'run')} for good, with all artifacts: {named}?"
        ensure_agreed(question, RequestError("nothing was removed"), yes=yes)
        for run in found:
            if run.lifecycle_stage == "active":
                cycle.delete_run(run.run_id)
        wanted = {run.run_id for run in found}
        for deleted in purge.find_deleted():
            if deleted.kind == "run" and deleted.id in wanted:
                remove_for_good(store, purge, deleted)
    return found


def _found(store: RunStore, run_ids: Iterable[str], view: ViewType) -> list[Run]:
    """Each once."""
    return list({run.run_id: run for run in (find_run(store, run_id, view) for run_id in run_ids)}.values())


def _tell(done: str, some: Iterable[Run], *, as_json: bool) -> None:
    if as_json:
        print_json({done: [{"run_id": run.run_id, "run_name": run.run_name} for run in some]})
        return
    for run in some:
        print_line(f"{done} run {run.run_name} ({run.run_id})")
