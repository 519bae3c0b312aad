"""`projrun runs reap`: ends the records of runs whose runner gives no sign of life any more."""

from __future__ import annotations

from collections.abc import Iterator

import click

from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.quantities import count_text, parse_duration
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import one_line, own_places, print_json, print_line, print_text, print_warning
from projrun.errors import TrackingError
from projrun.running.record.lookup import find_run
from projrun.running.record.reaping import Silent, named_run, silent_runs
from projrun.running.record.recorder import RunRecorder, now
from projrun.tracking.runs import RunStore


@click.command(cls=RunCommand)
@run_argument("run_ids", "[RUN]...", nargs=-1)
@click.option(
    "--older-than", metavar="DURATION", default="10m", show_default=True, help="Age of the last heartbeat."
)
@click.option("--dry-run", is_flag=True, help="Show which runs would be ended; end none.")
@tracking_uri_option
@json_option
def reap(
    run_ids: tuple[str, ...], older_than: str, dry_run: bool, tracking_uri: str | None, as_json: bool
) -> None:
    """End runs that are RUNNING without a runner. They become KILLED.

    A runner sets the tag projrun.heartbeat every minute. Ends the runs whose last heartbeat is older than --older-than,
    unless their runner lives on this machine. Runs without a heartbeat (of other clients, or shorter than a minute)
    are ended only where they are named: RUN is an id, a prefix of one, a name, `latest` or `-2`.

    \b
    projrun runs reap --dry-run
    projrun runs reap --older-than 2h
    projrun runs reap 3f2a
    """
    limit = round(parse_duration(older_than, "--older-than") * 1000)
    with store_of({"tracking-uri": tracking_uri}) as (store, _):
        found = list(_chosen(store, run_ids, limit))
        if not dry_run:
            for silent in found:
                _end(store, silent)
    if as_json:
        print_json({"runs": [_document(silent) for silent in found], "dry_run": dry_run})
        return
    for silent in found:
        run = silent.run
        verb = "would be" if dry_run else "is"
        print_line(f"run {run.run_name} ({run.run_id}) {verb} KILLED: {silent.end.reason}")
    verb = "would be ended" if dry_run else "ended"
    print_text(f"{count_text(len(found), 'run')} {verb}", err=True)


def _chosen(store: RunStore, run_ids: tuple[str, ...], limit: int) -> Iterator[Silent]:
    active = own_places().active
    if not run_ids:
        yield from silent_runs(store, active, now(), limit)
    for run_id in dict.fromkeys(run_ids):
        run = find_run(store, run_id)
        silent = named_run(run, active, now(), limit)
        if silent is None:
            print_text(
                one_line(f"run {run.run_name} ({run.run_id}) has already ended: {run.status}"), err=True
            )
        else:
            yield silent


def _end(store: RunStore, silent: Silent) -> None:
    if not RunRecorder(store, silent.run, print_warning).finish(silent.end):
        raise TrackingError(f"the end of run {silent.run.run_id} could not be recorded")


def _document(silent: Silent) -> dict[str, object]:
    run, end = silent
    return {"run_id": run.run_id, "run_name": run.run_name, "reason": end.reason, "end_time": end.end_time}
