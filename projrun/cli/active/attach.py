"""`projrun attach`: the output of a run from its beginning, then as it comes, and the run's exit code."""

from __future__ import annotations

from contextlib import closing

import click

from projrun.cli.active.finding import active_run, recorded_exit_code, waiting_run
from projrun.cli.active.following import Followed
from projrun.cli.active.recorded import print_recorded, print_waiting
from projrun.cli.options import tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import one_line, print_text
from projrun.errors import RequestError
from projrun.running.record.active import ActiveRun
from projrun.running.record.lookup import find_run


@click.command(cls=RunCommand)
@run_argument()
@tracking_uri_option
def attach(run_id: str, tracking_uri: str | None) -> int:
    """Show all output of RUN, follow it to its end, and exit with its exit code.

    RUN is an id, a prefix of one, a name, `latest` or `-2`. Ctrl-C leaves the run going on. Several may be attached at
    once. For a run that has ended, prints its log.

    \b
    projrun attach latest
    projrun attach 3f2a && echo it finished
    """
    options = {"tracking-uri": tracking_uri}
    found = active_run(run_id, options)
    if found is None:
        return _replay(run_id, options)
    with closing(Followed(found)) as followed:
        try:
            followed.print_to_the_end()
        except KeyboardInterrupt:
            print_text(f"\n{one_line(_goes_on(found))}", err=True)
            return 130
        mark = followed.mark
        if not mark.status or not followed.output.exists:
            # Its runner was killed, or took its log away just before that was to be read.
            return _replay(found.mark.run_id, options, followed)
        if not followed.messages.exists:
            _say_end(mark.run_name, mark.status, mark.reason)
        return mark.exit_code or 0


def _replay(run: str, options: dict[str, str | None], followed: Followed | None = None) -> int:
    """Print of a run that has ended what was not printed yet; its exit code."""
    waiting = waiting_run(run)
    if waiting is not None and waiting.mark.status:
        if followed is None or not followed.output.exists:
            print_waiting(waiting)
        mark = waiting.mark
        _say_end(mark.run_name, mark.status, mark.reason)
        return mark.exit_code or 0
    with store_of(options) as (store, _):
        record = find_run(store, run)
        if record.status not in ("FINISHED", "FAILED", "KILLED"):
            raise RequestError(
                f"run {record.run_id} is {record.status}, but not on this machine",
                hint=f"see `projrun logs -f {record.run_id[:8]}`, or attach to it where it runs",
            )
        if followed is None or not followed.output.exists:
            print_recorded(store, record)
    if followed is None or not (followed.messages.exists and followed.mark.status):
        _say_end(record.run_name, record.status, record.tag("projrun.reason") or "")
    return recorded_exit_code(record)


def _goes_on(run: ActiveRun) -> str:
    return (
        f"projrun: detached; run {run.mark.run_name} goes on, `projrun cancel {run.mark.run_id[:8]}` ends it"
    )


def _say_end(name: str, status: str, reason: str) -> None:
    line = f"projrun: run {name} {status}{f': {reason}' if reason else ''}"
    print_text(one_line(line), err=True)
