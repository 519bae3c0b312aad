"""`projrun logs`: the output of a run, from this machine while it goes on, else from its artifacts."""

from __future__ import annotations

from contextlib import closing

import click

from projrun.cli.active.finding import active_run, waiting_run
from projrun.cli.active.following import Followed
from projrun.cli.active.recorded import print_recorded, print_waiting
from projrun.cli.options import tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.running.record.lookup import find_run


@click.command(cls=RunCommand)
@run_argument()
@click.option("-f", "--follow", is_flag=True, help="Go on to print what comes, until the run has ended.")
@tracking_uri_option
def logs(run_id: str, follow: bool, tracking_uri: str | None) -> None:
    """Print the output of RUN: so far if it is going on, all of it if it has ended.

    RUN is an id, a prefix of one, a name, `latest` or `-2`. The log of an active run on this machine is read where it
    is written, without the tracking server; others are read from the artifact logs/output.log. What projrun says of a
    detached run goes to stderr.

    \b
    projrun logs 3f2a
    projrun logs -f latest | grep loss
    """
    options = {"tracking-uri": tracking_uri}
    found = active_run(run_id, options)
    if found is not None:
        with closing(Followed(found)) as followed:
            if follow:
                followed.print_to_the_end()
            else:
                followed.print_so_far()
        if followed.output.exists or found.lives:
            return
        run_id = found.mark.run_id or run_id  # it ended before its log could be opened
    waiting = waiting_run(run_id)
    if waiting is not None and print_waiting(waiting):
        return
    with store_of(options) as (store, _):
        print_recorded(store, find_run(store, run_id), follow=follow)
