"""`projrun gc`: one command for all that can go, asked for once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from projrun.cache.contents import Candidate, Limits
from projrun.cli.asking import confirm, must_ask
from projrun.cli.collecting import records, view
from projrun.cli.collecting.machine import Machine
from projrun.cli.options import click_option, json_option, tracking_uri_option
from projrun.cli.pruning import parse_limits, reading
from projrun.cli.rendering import own_places, print_line, print_text, print_warning
from projrun.cli.server.opening import own_store, own_uri
from projrun.directories import Directories
from projrun.errors import RequestError, SourceError, TrackingError
from projrun.running.record.active import active_runs
from projrun.settings.server import ARTIFACTS_DESTINATION, BACKEND_STORE
from projrun.tracking.parts import part_of
from projrun.tracking.purge import Deleted, Kind, Purge
from projrun.tracking.runs import RunStore


@click.command()
@click.option(
    "--older-than",
    metavar="TIME",
    help="Only what was deleted this long ago, and what was not used: 30d, 2d8h.",
)
@click.option("--max-size", metavar="SIZE", help="Also the least recently used, down to this total: 20GB.")
@click.option("--run-ids", metavar="ID,...", default="", help="Only these runs, and what else is named.")
@click.option(
    "--experiment-ids", metavar="ID,...", default="", help="Only these experiments, with their runs."
)
@click.option("--logged-model-ids", metavar="ID,...", default="", help="Only these logged models.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask on a terminal.")
@tracking_uri_option
@click_option(BACKEND_STORE, "run")
@click_option(ARTIFACTS_DESTINATION, "run")
@json_option
def gc(
    older_than: str | None, max_size: str | None, run_ids: str, experiment_ids: str, logged_model_ids: str,
    dry_run: bool, yes: bool, as_json: bool, **values: Any,
) -> None:  # fmt: skip
    """Remove for good what was deleted, and what is kept on this machine and of no use.

    Deleted runs, logged models and experiments go with their artifacts, also while a server serves their store: the
    embedded one unless another is named. Of environments, fetched sources, models and images of --build-image, only
    leftovers go without limits; with --older-than also what was not used for so long, copies and logs of runs too.
    What a run uses stays. Where a store or ids are named, only there. On a terminal it asks first.

    \b
    projrun gc --older-than 30d --max-size 20GB --dry-run
    projrun gc --backend-store-uri postgresql://db/ml --artifacts-destination /srv
    """
    limits = parse_limits(older_than, max_size)
    before = int((time.time() - (limits.unused_seconds or 0.0)) * 1000)
    named: dict[Kind, set[str]] = {
        "run": _ids(run_ids), "logged_model": _ids(logged_model_ids), "experiment": _ids(experiment_ids),
    }  # fmt: skip
    with _collected(values, named, limits, before) as collected:
        asks = bool(collected.rows) and must_ask(yes=yes or as_json or dry_run)
        if not as_json and (dry_run or asks):
            view.print_plan(collected.rows)
            view.print_total(collected.rows, collected.freed(collected.rows), "would be removed")
        elif dry_run:
            view.print_document(collected.rows, (), collected.freed(collected.rows), dry_run=True)
        if dry_run:
            return
        if asks:
            confirm(collected.question(), RequestError("nothing was removed"))
        collected.remove_all(limits, as_json=as_json)


class _Collected:
    """What goes, while the store is open."""

    def __init__(
        self, store: RunStore | None, deleted: Sequence[Deleted],
        machine: Machine | None, candidates: Sequence[Candidate],
    ) -> None:  # fmt: skip
        self._store, self._machine = store, machine
        sizes = [] if store is None else records.sizes(store, deleted)
        self._deleted = [
            (view.of_record(each, size), each) for each, size in zip(deleted, sizes, strict=True)
        ]
        self._candidates = [(view.of_machine(each), each) for each in candidates]

    @property
    def rows(self) -> list[view.Row]:
        """In the order in which they go."""
        return [row for row, _ in (*self._deleted, *self._candidates)]

    def freed(self, rows: Sequence[view.Row]) -> int:
        """Bytes, where these go."""
        among = {id(row) for row in rows}
        chosen = [candidate for row, candidate in self._candidates if id(row) in among]
        machine = self._machine.freed(chosen) if self._machine is not None else 0
        return machine + sum(row.size for row, _ in self._deleted if id(row) in among)

    def question(self) -> str:
        """Before they go."""
        of_records = view.counted(row for row, _ in self._deleted)
        of_machine = view.counted(row for row, _ in self._candidates)
        if not of_records:
            return f"Remove {of_machine}?"
        return (
            f"Remove {of_records} for good, with all artifacts{f', and {of_machine}' if of_machine else ''}?"
        )

    def remove_all(self, limits: Limits, *, as_json: bool) -> None:
        """One after the other; raises TrackingError at the end where the store could not remove some."""
        removed, kept = list[view.Row](), list[view.Row]()
        for row, gone in (*self._removed_records(), *self._removed_holdings()):
            if gone is None:
                continue
            (removed if gone else kept).append(row)
            if gone and not as_json:
                print_line(f"removed {row.words}")
        if self._machine is not None:
            self._machine.sweep(limits)
        stuck = [row for row in kept if any(row is each for each, _ in self._deleted)]
        if as_json:
            view.print_document(removed, kept, self.freed(removed), dry_run=False)
        else:
            view.print_total(removed, self.freed(removed), "removed")
        if stuck:
            raise TrackingError(
                f"{view.counted(stuck)} could not be removed", hint="`projrun gc` again removes what is left"
            )

    def _removed_records(self) -> Iterator[tuple[view.Row, bool | None]]:
        if self._store is None or not self._deleted:
            return
        purge = part_of(self._store, Purge)
        for row, each in self._deleted:
            yield row, records.remove(self._store, purge, each, print_warning)

    def _removed_holdings(self) -> Iterator[tuple[view.Row, bool]]:
        for row, candidate in self._candidates:
            gone = self._machine is not None and self._machine.remove(candidate)
            if not gone:
                print_warning(f"could not remove {row.words}: it is in use now, or belongs to another user")
            yield row, gone


@contextmanager
def _collected(
    values: Mapping[str, Any], named: Mapping[Kind, Set[str]], limits: Limits, before: int
) -> Iterator[_Collected]:
    """Where a store or ids are named, of that store alone; else of this machine, and of its store."""
    places = own_places()
    explicit = any(named.values()) or bool(values["tracking_uri"] or values["backend_store_uri"])
    machine, candidates = None, list[Candidate]()
    with ExitStack() as stack:
        store, deleted = None, list[Deleted]()
        if explicit or _has_store(values, places):
            store = stack.enter_context(own_store(values))
            chosen = records.choose(part_of(store, Purge).find_deleted(), named, before)
            active = {run.mark.run_id for run in active_runs(places.active)}
            deleted = records.without_active(chosen, active, print_warning)
        if not explicit:
            with reading("cache", places.cache, SourceError):
                machine = Machine(places, os.environ)
                candidates = machine.choose(limits, print_warning)
        yield _Collected(store, deleted, machine, candidates)


def _has_store(values: Mapping[str, Any], places: Directories) -> bool:
    """Whether there is one from which this machine can remove something; says where its server must."""
    uri = own_uri(values, places)
    if uri.kind == "rest":
        print_text(
            f"projrun: {uri.shown} is a server: `projrun gc` where its store is removes deleted runs",
            err=True,
        )
    return uri.kind != "rest" and (uri.database is None or uri.database.exists())


def _ids(text: str) -> set[str]:
    return {word for part in text.split(",") if (word := part.strip())}
