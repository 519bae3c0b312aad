"""`projrun sync`: delivers what runs of this machine could not record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from projrun.cache.lost_leases import discard as discard_lease
from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.quantities import count_text, size_text
from projrun.cli.rendering import one_line, own_places, print_json, print_line, print_text
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import RequestError, TrackingError
from projrun.running.plan import tracking_target
from projrun.running.record.lookup import ambiguous
from projrun.running.record.outbox import Delivery, Waiting, chosen_runs, deliver, waiting_runs
from projrun.running.record.spooled import Spooled, deliver_spooled
from projrun.settings import Settings


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@tracking_uri_option
@click.option(
    "--discard", is_flag=True, help="Delete what waits of each RUN, its output too, and deliver nothing."
)
@json_option
def sync(runs: tuple[str, ...], tracking_uri: str | None, discard: bool, as_json: bool) -> int:
    """Deliver what runs could not record while their tracking server was away: all runs, or each RUN.

    RUN is an id or the beginning of one. With --tracking-uri, only what waits for that server. Exits with 5 where
    something still waits.

    \b
    projrun sync
    projrun sync 3f2a
    projrun sync --discard 3f2a
    """
    if discard and not runs:
        raise RequestError("--discard deletes what waits: name each RUN", hint="`projrun sync` names them")
    directories = own_places()
    settings = Settings({"tracking-uri": tracking_uri}, os.environ, directories.config)
    target = tracking_target(settings, directories, Path.cwd()).uri
    found = waiting_runs(directories.active)
    if tracking_uri is not None:
        found = [run for run in found if run.mark.store == target.shown]
    chosen = chosen_runs(found, runs) if runs else found
    if discard:
        return _discard(chosen, runs, as_json=as_json)
    ready = [run for run in chosen if not run.active]
    deliveries = list(deliver(ready, target, directories, os.environ, CommandLineReporter()))
    active = [run for run in chosen if run.active and runs]
    spooled = [] if runs else list(deliver_spooled(target, alone=tracking_uri is not None))
    if as_json:
        print_json(_document(deliveries, active, spooled))
    else:
        _print(deliveries, active, runs, spooled)
    still = active or any(one.settled.reason for one in deliveries) or any(one.reason for one in spooled)
    return TrackingError.exit_code if still else 0


def _discard(chosen: list[Waiting], asked: tuple[str, ...], *, as_json: bool) -> int:
    for text in asked:
        if len(named := chosen_runs(chosen, [text])) > 1:
            raise ambiguous(text, [run.run_id for run in named])
    gone = [run for run in chosen if not run.active and discard_lease(run.folder)]
    held = [run for run in chosen if run not in gone]
    if as_json:
        waiting = [_waits(run, "a process holds it") for run in held]
        print_json({"discarded": [_identity(run) for run in gone], "waiting": waiting})
    else:
        for run in gone:
            print_text(f"discarded what waited of {_name(run, '')}")
        if held or not gone:
            _print([], held, asked, [])
    return TrackingError.exit_code if held else 0


def _print(
    deliveries: list[Delivery], active: list[Waiting], asked: tuple[str, ...], spooled: list[Spooled]
) -> None:
    for delivery in deliveries:
        name, settled = _name(delivery.waiting, delivery.settled.run_id), delivery.settled
        if not settled.reason:
            print_text(f"delivered {name}{_counts(delivery)}")
        else:
            store = delivery.waiting.mark.store
            print_line(f"waits: {name}{f' for {store}' if store else ''}: {settled.reason}")
    for run in active:
        print_text(f"waits: {_name(run, '')} is active and delivers its record itself")
    for each in spooled:
        for text in each.refused:
            print_line(one_line(text))
        what = f"what a script logged{f' for {each.target}' if each.target else ''}"
        if each.reason:
            print_line(f"waits: {what}: {each.reason}")
        else:
            print_text(one_line(f"delivered {what}: {count_text(each.calls, 'call')}"))
    if not deliveries and not active and not spooled:
        print_text(one_line(f"nothing{' of run ' if asked else ''}{', '.join(asked)} waits"), err=True)


def _name(run: Waiting, run_id: str) -> str:
    known = run_id or run.run_id
    return one_line(f"run {run.mark.run_name} ({known})" if run.mark.run_name else f"run {known}")


def _counts(delivery: Delivery) -> str:
    """What was in its run-scoped store; the log and the end are there in any case."""
    merged = delivery.settled.merged
    if merged is None:
        return ""
    counts = ((merged.params, "param"), (merged.metrics, "metric"), (merged.tags, "tag"))
    words = [count_text(count, word) for count, word in counts if count]
    if merged.artifacts:
        words.append(f"{count_text(merged.artifacts, 'artifact')} ({size_text(merged.size)})")
    return f": {', '.join(words)}" if words else ""


def _document(deliveries: list[Delivery], active: list[Waiting], spooled: list[Spooled]) -> dict[str, Any]:
    """The keys of `projrun sync --json`; a contract test pins them."""
    return {
        "delivered": [_delivered(one) for one in deliveries if not one.settled.reason],
        "waiting": [
            *(_waits(one.waiting, one.settled.reason) for one in deliveries if one.settled.reason),
            *(_waits(run, "the run is active") for run in active),
        ],
        "logged": [each._asdict() for each in spooled],
    }


def _delivered(delivery: Delivery) -> dict[str, Any]:
    merged = delivery.settled.merged
    return {
        **_identity(delivery.waiting),
        "run_id": delivery.settled.run_id or delivery.waiting.mark.run_id,
        "run_ids": dict(merged.run_ids) if merged else {},
        "params": merged.params if merged else 0,
        "metrics": merged.metrics if merged else 0,
        "tags": merged.tags if merged else 0,
        "artifacts": merged.artifacts if merged else 0,
        "bytes": merged.size if merged else 0,
        "refused": list(merged.refused) if merged else [],
    }


def _waits(run: Waiting, reason: str) -> dict[str, Any]:
    return {**_identity(run), "reason": reason}


def _identity(run: Waiting) -> dict[str, Any]:
    return {
        "run_id": run.mark.run_id,
        "origin_id": run.mark.origin_id,
        "run_name": run.mark.run_name,
        "tracking_uri": run.mark.store,
    }
