"""`projrun cancel`: ends runs, from any terminal; those of other machines by way of their tracking server."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, closing, suppress

import click

from projrun.cli.active.finding import active_run
from projrun.cli.active.following import PAUSE, Watched
from projrun.cli.options import tracking_uri_option
from projrun.cli.records.opening import store_of
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.cli.rendering import one_line, print_text
from projrun.errors import ProjrunError, RequestError
from projrun.running.record.lookup import find_run
from projrun.running.record.recorder import RunEnd, RunRecorder, now

_NOTE_AFTER = 1.0
_PRESS_EVERY = 0.3
_LAST_RESORT = 10.0
"""Seconds after which `--kill` ends the runner itself: its guard then ends the command."""
_HANDED_OVER = 2.0
"""Seconds in which a run of the Python API may be given to a process of its own."""

CANCELLED = "cancelled by `projrun cancel`"


@click.command(cls=RunCommand)
@run_argument("run_ids", "RUN...", nargs=-1, required=True)
@click.option("--kill", is_flag=True, help="End the command at once, without its grace period.")
@tracking_uri_option
def cancel(run_ids: tuple[str, ...], kill: bool, tracking_uri: str | None) -> None:
    """End each RUN as SIGTERM to `projrun run` would, and wait for its end: it is recorded as KILLED.

    RUN is an id, a prefix of one, a name, `latest` or `-2`. The command gets SIGTERM and has --grace-period seconds to
    save its work. A run on another machine, or within a Python program, is set to KILLED in the tracking store; its
    runner asks there every ten seconds. A run that has ended already stays as it is.

    \b
    projrun cancel 3f2a 81c0
    projrun cancel --kill latest
    """
    options = {"tracking-uri": tracking_uri}
    failures: list[ProjrunError] = []
    with ExitStack() as stack:
        watched = []
        for run in dict.fromkeys(run_ids):
            try:
                found = active_run(run, options)
                one = None if found is None else stack.enter_context(closing(Watched(found)))
                if one is not None and one.run.is_here and _has_process(one):
                    watched.append(one)
                    _send(one, signal.SIGTERM)
                else:
                    _set_killed(run if found is None else found.mark.run_id, options)
            except ProjrunError as error:  # which keeps no other run going
                failures.append(error)
        for one in watched:
            _await_end(one, kill=kill)
            _say_end(one, options)
    for failure in failures[:-1]:
        _say(f"error: {failure.message}")
    if failures:
        raise failures[-1]


def _has_process(watched: Watched) -> bool:
    """Whether a signal ends the runner and nothing else."""
    until = time.monotonic() + _HANDED_OVER
    while not watched.mark.pid and watched.run.lives and time.monotonic() < until:
        time.sleep(PAUSE)
    return watched.mark.pid > 0


def _send(watched: Watched, signum: int) -> None:
    if watched.run.lives:
        with suppress(ProcessLookupError):
            os.kill(watched.mark.pid, signum)


def _await_end(watched: Watched, *, kill: bool) -> None:
    begin = time.monotonic()
    # After SIGTERM, two more interrupts are what a person in haste would press: the second kills.
    presses = [begin + _PRESS_EVERY, begin + 2 * _PRESS_EVERY] if kill else []
    noted = False
    while watched.run.lives:
        elapsed = time.monotonic() - begin
        if presses and time.monotonic() >= presses[0]:
            presses.pop(0)
            if watched.run.doing == "running":
                _send(watched, signal.SIGINT)
        if kill and elapsed > _LAST_RESORT:
            _send(watched, signal.SIGKILL)
        if not noted and elapsed > _NOTE_AFTER:
            noted = True
            advice = "" if kill else "; Ctrl-C leaves, `--kill` ends it at once"
            _say(f"waiting for run {_name(watched)} to end{advice}")
        time.sleep(PAUSE)


def _say_end(watched: Watched, options: dict[str, str | None]) -> None:
    mark = watched.mark
    status: str = mark.status
    reason = mark.reason
    if not status:  # its runner was killed: the record is ended by whoever opens the store
        with store_of(options) as (store, _):
            record = find_run(store, mark.run_id)
        status, reason = record.status, record.tag("projrun.reason") or ""
    _say(f"run {_name(watched)} is {status}{f': {reason}' if reason else ''}")


def _set_killed(run: str, options: dict[str, str | None]) -> None:
    """End the record: the runner ends the command when it asks next."""
    with store_of(options) as (store, _):
        record = find_run(store, run)
        name = f"{record.run_name} ({record.run_id})"
        if record.status not in ("RUNNING", "SCHEDULED"):
            _say(f"run {name} has already ended: {record.status}")
            return
        if record.tag("projrun.version") is None:
            raise RequestError(
                f"run {name} was not started by projrun: nothing would end its command",
                hint="end it where it runs",
            )
        warnings: list[str] = []
        if not RunRecorder(store, record, warnings.append).finish(RunEnd("KILLED", 143, CANCELLED, now())):
            raise RequestError(f"run {name} cannot be set to KILLED: {warnings[-1]}")
        _say(f"run {name} is set to KILLED; its runner ends it when it asks next, within ten seconds")


def _name(watched: Watched) -> str:
    mark = watched.run.mark
    return f"{mark.run_name} ({mark.run_id})"


def _say(text: str) -> None:
    print_text(one_line(f"projrun: {text}"), err=True)
